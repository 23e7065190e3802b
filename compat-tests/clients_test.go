package compat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// region is the region all clients use.
const region = "eu-central-1"

// client is one AWS client the scenarios run with.
type client struct {
	name string
	// install is what install.sh calls its package, empty when nothing is to be installed.
	install string
	// command starts the driver; empty for the Go SDK, whose driver runs in this process.
	command []string
}

// clients are the clients of the suite. Their names are letters and digits, because they also make the access
// keys, which DynamoDB Local restricts to those.
func clients(t *testing.T) []client {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	python := filepath.Join(dir, ".cache", "python", "bin", "python")
	classpath := strings.Join([]string{
		filepath.Join(dir, ".cache", "java", "classes"),
		filepath.Join(dir, ".cache", "java", "lib", "*"),
	}, string(os.PathListSeparator))
	return []client{
		{name: "gosdk"},
		{name: "javascript", install: "javascript", command: []string{"node", "javascript/driver.js"}},
		{name: "boto3", install: "python", command: []string{python, "python/boto3_driver.py"}},
		{name: "awscli", install: "python", command: []string{python, "python/awscli_driver.py"}},
		{name: "java", install: "java", command: []string{"java", "-XX:TieredStopAtLevel=1", "-cp", classpath, "compat.Driver"}},
	}
}

// TestClients runs every scenario with every client, then the cases only that client has.
func TestClients(t *testing.T) {
	runClients(t, target.endpoint, clients(t))
}

// runClients runs the suite against the server at endpoint with the clients chosen by -clients, side by side.
func runClients(t *testing.T, endpoint string, clients []client) {
	t.Helper()
	topics := loadTopics(t)
	for _, c := range clients {
		if *clientsFlag != "" && !slices.Contains(strings.Split(*clientsFlag, ","), c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			prefix := c.name + "-"
			d := connect(t, c, endpoint)
			for _, name := range sortedTopics(topics) {
				t.Run(name, func(t *testing.T) { runTopic(t, c.name, d, parseTopic(t, topics[name], prefix)) })
			}
			t.Run("own cases", func(t *testing.T) { runCases(t, d, prefix) })
		})
	}
}

// connect installs the client if need be and starts its driver.
func connect(t *testing.T, c client, endpoint string) driver {
	t.Helper()
	if c.command == nil {
		return newGoDriver(t, c, endpoint)
	}
	install(t, c.install)
	return startDriver(t, c, endpoint)
}

// runCases runs the client's own cases as subtests.
func runCases(t *testing.T, d driver, prefix string) {
	r, err := d.do(request{Do: "cases"})
	require.NoError(t, err)
	require.NotEmpty(t, r.Cases)
	for _, name := range r.Cases {
		t.Run(name, func(t *testing.T) {
			r, err := d.do(request{Do: "case", Name: name, Prefix: prefix})
			require.NoError(t, err)
			require.Nil(t, r.Error)
		})
	}
}

// missingRuntime is the exit code of install.sh when what it needs is not on this machine.
const missingRuntime = 3

// installing serialises installations: two clients share one Python environment.
var installing sync.Mutex

// install makes a client's packages available, or skips the test when the machine lacks its runtime.
func install(t *testing.T, name string) {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	out, err := exec.Command("sh", "install.sh", name).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == missingRuntime {
		message := strings.TrimSpace(string(out))
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s (with CI=true every client must run)", message)
		}
		t.Skip(message)
	}
	require.NoErrorf(t, err, "install.sh %s:\n%s", name, out)
}

// clientEnvironment is what every client is configured with: the service's address and the client's identity.
func clientEnvironment(c client, endpoint string) []string {
	return []string{
		"AWS_ENDPOINT_URL_DYNAMODB=" + endpoint,
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS=" + endpoint,
		"AWS_ACCESS_KEY_ID=" + accessKey(c),
		"AWS_SECRET_ACCESS_KEY=secret",
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// accessKey gives each client a namespace of its own.
func accessKey(c client) string { return "compat" + c.name }

func sortedTopics(topics map[string][]byte) []string {
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
