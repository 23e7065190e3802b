package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

func TestLocalArguments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		line  string
		want  string // options of DynamoDB Local
		local bool
	}{
		{"-inMemory -port 9000", "-inMemory -port 9000", true},
		{"-jar DynamoDBLocal.jar -inMemory", "-inMemory", true},
		{"-jar DynamoDBLocal.jar", "", true},
		{"-jar", "", true},
		{"-Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar -sharedDb", "-sharedDb", true},
		{"-Xms64m -Xmx1g -Djava.library.path=. -jar /opt/DynamoDBLocal.jar -port 1 -inMemory", "-port 1 -inMemory", true},
		{"--add-opens java.base/java.lang=ALL-UNNAMED -jar DynamoDBLocal.jar -port 1", "-port 1", true},
		{"-version", "-version", true},
		{"-nonsense", "-nonsense", true},
		{"", "", false},
		{"-h", "", false},
		{"--help", "", false},
		{"--port 1", "", false},
		{"serve -port 1", "", false},
		{"version", "", false},
	} {
		t.Run(tc.line, func(t *testing.T) {
			t.Parallel()
			got, local := localArguments(strings.Fields(tc.line))
			require.Equal(t, tc.local, local)
			require.Equal(t, tc.want, strings.Join(got, " "))
		})
	}
}

func TestParseLocal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, tc := range []struct {
		line string
		want localCommand
		err  string
	}{
		{line: "", want: localCommand{port: 8000}},
		{line: "-port 9000 -inMemory -sharedDb", want: localCommand{port: 9000, inMemory: true, sharedDB: true}},
		{line: "-sharedDb -dbPath " + dir, want: localCommand{port: 8000, sharedDB: true, dbPath: dir}},
		{line: "-dbPath " + dir + " -optimizeDbBeforeStartup", want: localCommand{port: 8000, dbPath: dir, optimize: true}},
		{line: "-cors http://a,http://b -delayTransientStatuses -disableTelemetry",
			want: localCommand{port: 8000, cors: "http://a,http://b", delayTransientStatuses: true}},
		{line: "-help", want: localCommand{port: 8000, help: true}},
		{line: "-version", want: localCommand{port: 8000, version: true}},
		{line: "-inMemory -dbPath " + dir, err: "-inMemory cannot be combined with -dbPath"},
		{line: "-optimizeDbBeforeStartup", err: "-optimizeDbBeforeStartup requires -dbPath"},
		{line: "-optimizeDbBeforeStartup -inMemory", err: "-optimizeDbBeforeStartup requires -dbPath"},
		{line: "-dbPath /nonexistent/db", err: "-dbPath /nonexistent/db: no such directory"},
		{line: "-dbPath " + file, err: "no such directory"},
		{line: "-dbPath", err: "needs an argument"},
		{line: "-port abc", err: `"abc"`},
		{line: "-port 70000", err: "-port 70000"},
		{line: "-inmemory", err: "Unrecognized option: -inmemory"},
		{line: "-inMemory extra", err: "unexpected argument: extra"},
	} {
		t.Run(tc.line, func(t *testing.T) {
			t.Parallel()
			got, err := parseLocal(strings.Fields(tc.line))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestLocalServiceOptions(t *testing.T) {
	t.Parallel()
	p := &process{stdout: io.Discard, stderr: io.Discard}
	for _, tc := range []struct {
		command localCommand
		dir     string
		cors    []string
	}{
		{localCommand{inMemory: true}, "", nil},
		{localCommand{}, "stator-data", nil},
		{localCommand{dbPath: "/db", cors: "http://a,http://b"}, "/db/stator-data", []string{"http://a", "http://b"}},
		{localCommand{dbPath: "/db", cors: "*"}, "/db/stator-data", nil},
	} {
		options := tc.command.service(p).options
		require.True(t, options.Local)
		require.Equal(t, tc.dir, options.DataDir)
		require.Equal(t, tc.cors, options.CORSOrigins)
	}
}

// TestLocalBanner starts the command line of the amazon/dynamodb-local image.
func TestLocalBanner(t *testing.T) {
	t.Parallel()
	s := start(t, "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-port", "0")
	banner, _, _ := strings.Cut(s.stdout.String(), "stator is listening")
	require.Equal(t, "Initializing DynamoDB Local with the following configuration:\n"+
		"Port:\t"+portOf(s.url)+"\n"+
		"InMemory:\ttrue\n"+
		"Version:\tv0-test\n"+
		"DbPath:\tnull\n"+
		"SharedDb:\ttrue\n"+
		"shouldDelayTransientStatuses:\tfalse\n"+
		"CorsParams:\tnull\n\n", banner)
	status, body := get(t, s.url+"/")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "MissingAuthenticationToken")

	client := s.client()
	createTable(t, client, "Music")
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Music")})
	require.NoError(t, err)
	require.Equal(t, types.TableStatusActive, out.Table.TableStatus)
	require.Equal(t, "arn:aws:dynamodb:ddblocal:000000000000:table/Music", aws.ToString(out.Table.TableArn))
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
}

// TestLocalData keeps data in -dbPath and in the working directory.
func TestLocalData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, "-port", "0", "-dbPath", dir)
	createTable(t, s.client(), "Music")
	require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"))
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	require.DirExists(t, filepath.Join(dir, localDataDir))

	for _, args := range [][]string{
		{"-port", "0", "-dbPath", dir, "-optimizeDbBeforeStartup"},
		{"-jar", "DynamoDBLocal.jar", "-port", "0"},
	} {
		s := startIn(t, dir, args...)
		value, found := getItem(t, s.client(), "Music", "a")
		require.True(t, found)
		require.Equal(t, "b", value)
		s.signal(syscall.SIGTERM)
		require.Zero(t, s.wait())
	}
}

func TestLocalPrintAndExit(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "-help")
	require.Zero(t, got.code)
	for _, option := range []string{
		"-cors", "-dbPath", "-delayTransientStatuses", "-disableTelemetry", "-help", "-inMemory",
		"-optimizeDbBeforeStartup", "-port", "-sharedDb", "-version",
	} {
		require.Contains(t, got.stdout, option)
	}
	got = execute(t, "", "-jar", "DynamoDBLocal.jar", "-version")
	require.Zero(t, got.code)
	require.Contains(t, got.stdout, "v0-test")

	got = execute(t, "", "-inMemory", "-dbPath", t.TempDir())
	require.Equal(t, exitFailure, got.code)
	require.Empty(t, got.stdout)
	requireOneLine(t, got.stderr, "-inMemory cannot be combined with -dbPath")
}
