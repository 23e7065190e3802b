package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// defaultServe is a command line without flags, environment and file.
// defaultCluster are the flags of a node that is none.
var defaultCluster = clusterFlags{BootstrapExpect: 1, Replicas: 3, ReplaceAfter: 5 * time.Minute, ReadPolicy: "nearest"}

var defaultServe = serveCommand{
	clusterFlags: defaultCluster,
	Port:         8000, Host: "127.0.0.1", DataDir: "./data", CORS: []string{"*"},
	GSIConsistency: "sync", LogLevel: "info", LogFormat: "text",
}

// TestPrecedence runs in one goroutine because it sets the environment.
func TestPrecedence(t *testing.T) {
	for _, tc := range []struct {
		name   string
		args   []string
		env    map[string]string
		file   string
		change func(*serveCommand)
	}{
		{name: "defaults", change: func(*serveCommand) {}},
		{name: "serve is the default command", args: []string{"--port", "1"}, change: func(c *serveCommand) { c.Port = 1 }},
		{name: "flags", args: []string{
			"serve", "--port", "0", "--host", "::1", "--data-dir", "/d", "--in-memory", "--shared-db", "--sync",
			"--shards", "3", "--cors", "http://a,http://b", "--gsi-consistency", "eventual", "--gsi-lag", "20ms",
			"--log-level", "debug", "--log-format", "json", "--enforce-throughput", "--admin",
		}, change: func(c *serveCommand) {
			*c = serveCommand{
				clusterFlags: defaultCluster,
				Port:         0, Host: "::1", DataDir: "/d", InMemory: true, SharedDB: true, Sync: true, Shards: 3,
				CORS: []string{"http://a", "http://b"}, GSIConsistency: "eventual", GSILag: 20 * time.Millisecond,
				LogLevel: "debug", LogFormat: "json", EnforceThroughput: true, Admin: true,
			}
		}},
		{name: "environment", env: map[string]string{
			"STATOR_PORT": "0", "STATOR_HOST": "::1", "STATOR_DATA_DIR": "/d", "STATOR_IN_MEMORY": "true",
			"STATOR_SHARED_DB": "1", "STATOR_SYNC": "true", "STATOR_SHARDS": "3", "STATOR_CORS": "http://a,http://b",
			"STATOR_GSI_CONSISTENCY": "eventual", "STATOR_GSI_LAG": "20ms", "STATOR_LOG_LEVEL": "debug",
			"STATOR_LOG_FORMAT": "json", "STATOR_ENFORCE_THROUGHPUT": "true", "STATOR_ADMIN": "true",
		}, change: func(c *serveCommand) {
			*c = serveCommand{
				clusterFlags: defaultCluster,
				Port:         0, Host: "::1", DataDir: "/d", InMemory: true, SharedDB: true, Sync: true, Shards: 3,
				CORS: []string{"http://a", "http://b"}, GSIConsistency: "eventual", GSILag: 20 * time.Millisecond,
				LogLevel: "debug", LogFormat: "json", EnforceThroughput: true, Admin: true,
			}
		}},
		{name: "file", file: `
# every key, scalars and lists
port: 0
host: "::1"
data-dir: /d
in-memory: true
shared-db: true
sync: true
shards: 3
cors: [http://a, http://b]
gsi-consistency: eventual
gsi-lag: 20ms
enforce-throughput: true
admin: true
log-level: debug
log-format: json
`, change: func(c *serveCommand) {
			*c = serveCommand{
				clusterFlags: defaultCluster,
				Port:         0, Host: "::1", DataDir: "/d", InMemory: true, SharedDB: true, Sync: true, Shards: 3,
				CORS: []string{"http://a", "http://b"}, GSIConsistency: "eventual", GSILag: 20 * time.Millisecond,
				LogLevel: "debug", LogFormat: "json", EnforceThroughput: true, Admin: true,
			}
		}},
		{name: "flag over environment over file",
			args: []string{"--port", "1"},
			env:  map[string]string{"STATOR_PORT": "2", "STATOR_SHARDS": "2"},
			file: "port: 3\nshards: 3\nhost: example.org\n",
			change: func(c *serveCommand) {
				c.Port, c.Shards, c.Host = 1, 2, "example.org"
			}},
		{name: "false in the environment over true in the file",
			env:    map[string]string{"STATOR_SYNC": "false"},
			file:   "sync: true\n",
			change: func(*serveCommand) {}},
		{name: "negated by the last word",
			args:   []string{"--sync=false"},
			file:   "sync: true\n",
			change: func(*serveCommand) {}},
		{name: "empty file", file: "\n", change: func(*serveCommand) {}},
		{name: "file with a key of another command", file: "timeout: 1s\nport: 7\n",
			change: func(c *serveCommand) { c.Port = 7 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := tc.args
			if tc.file != "" {
				args = append(args, "--config", writeConfig(t, tc.file))
			}
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			want := defaultServe
			tc.change(&want)

			var cli commandLine
			_, err := parse(&cli, args, io.Discard, io.Discard)
			require.NoError(t, err)
			require.Equal(t, want, cli.Serve)
		})
	}
}

// TestConfigFromEnvironment names the file itself in the environment.
func TestConfigFromEnvironment(t *testing.T) {
	t.Setenv("STATOR_CONFIG", writeConfig(t, "port: 7\n"))
	var cli commandLine
	_, err := parse(&cli, nil, io.Discard, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 7, cli.Serve.Port)
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, file, want string }{
		{"unknown key", "port: 1\nprot: 2\n", `FILE:2: unknown key "prot"`},
		{"first of two unknown keys", "zebra: 1\nant: 2\n", `FILE:1: unknown key "zebra"`},
		{"config in the file", "config: other.yaml\n", `FILE:1: unknown key "config"`},
		{"help in the file", "help: true\n", `FILE:1: unknown key "help"`},
		{"wrong case", "Port: 1\n", `FILE:1: unknown key "Port"`},
		{"not a number", "host: a\nport: http\n", `--port: FILE:2: expected a valid 64 bit int but got "http"`},
		{"not a duration", "gsi-lag: soon\n", `FILE:1: expected duration but got "soon"`},
		{"nested mapping", "port:\n  number: 1\n", `FILE:1: port: expected a plain value or a list`},
		{"nested list", "cors: [[a]]\n", `FILE:1: cors: expected a list of plain values`},
		{"no value", "port:\n", `FILE:1: port: no value`},
		{"list at the top", "- port\n", `FILE:1: expected lines of the form key: value`},
		{"plain text", "port\n", `FILE:1: expected lines of the form key: value`},
		{"duplicate key", "port: 1\nport: 2\n", `already defined`},
		{"broken YAML", "cors: [a\n", `not found`},
		{"binary", "\x00\x01", `FILE`},
		{"too large", strings.Repeat("#", maxConfigBytes+1), `FILE: larger than`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := writeConfig(t, tc.file)
			var cli commandLine
			_, err := parse(&cli, []string{"--config", path}, io.Discard, io.Discard)
			require.Error(t, err)
			require.Contains(t, oneLine(err), strings.ReplaceAll(tc.want, "FILE", path))
		})
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{
		"port: 1\n", "cors: [a, b]\nsync: true\n", "- a\n", "a: {b: c}\n", "? [x]\n: y\n", "a: &b c\nd: *b\n", "<<: x\n", "---\na: 1\n---\nb: 2\n",
		"a: |\n  text\n", "a: !!binary AA==\n", "\"a\": 'b'\n", "1: 2\n", "a:\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := parseConfig("f", data)
		if err != nil {
			require.Nil(t, config)
			return
		}
		for _, entry := range config.entries {
			require.Positive(t, entry.line)
		}
	})
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stator.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
