// Package compat runs real AWS clients against the real stator binary over HTTP.
//
// The clients are the AWS SDKs for Go v2, JavaScript v3, Python (boto3) and Java v2 and the AWS CLI.
// All of them execute the same scenarios, and each has cases of its own for what only it offers:
// document clients, attributevalue structs, the resource API, enhanced beans, command line flags.
//
// # How a scenario runs
//
// The scenarios are data: every file in scenarios/ is one [Topic], a list of API calls in the service's own
// JSON with the answers Amazon DynamoDB gives. A driver is a small program in the client's language that
// turns one such call into the client's native call and the native answer back into JSON. Drivers know
// nothing about expectations; matching, variables and polling happen once, in Go.
//
//	scenarios/*.json ──▶ TestClients ──▶ driver ──▶ AWS SDK ──HTTP──▶ stator
//	                        match ◀── answer ◀──┘
//
// A driver reads one request per line from standard input and writes one answer per line to standard output:
//
//	{"do":"call","operation":"GetItem","input":{…}}      {"output":{…}} or {"error":{"type":…,"message":…}}
//	{"do":"pages","operation":"Query","input":{…}}       {"pages":[{…},{…}]}, fetched by the client's paginator
//	{"do":"wait","waiter":"TableExists","input":{…}}     {"output":{}}, waited for by the client's waiter
//	{"do":"cases"}                                       {"cases":["…"]}, the names of its own cases
//	{"do":"case","name":"…","prefix":"…"}                {"output":{}} or {"failure":"…"}
//
// Binary values are base64 text on both sides, as on the wire. A "failure" is anything that is not an answer
// of the service, such as a client that cannot parse a response.
//
// Every client works under its own access key and its own table name prefix, so all of them run at the same
// time against one server and none sees the other's tables. In scenarios the prefix is written ${p}.
//
// # Following a stream
//
// TestKinesisClientLibrary runs the Kinesis Client Library with the DynamoDB Streams adapter, in the version
// kcl/pom.xml pins. Its worker is a process of its own that prints what it sees; see kcl/…/Follower.java.
// Leases, checkpoints and the library's other tables lie in the server that is followed, so the library's
// conditional writes, its index and its locks are tested with it.
//
// # What is needed
//
// install.sh fetches each client in a pinned version into directories that git ignores; the tests call it.
// A missing runtime (node, python3, a JDK, Maven) skips its client, and fails the test when CI=true.
//
// The tests build and start ./cmd/stator. With -endpoint (or STATOR_COMPAT_ENDPOINT) the scenarios run
// against a server that is already there instead:
//
//	go test ./compat-tests -run TestClients -endpoint http://127.0.0.1:8000
//
// -clients limits the run to a comma-separated list of clients. The tests of the process itself (kill -9,
// the data directory, DynamoDB Local's command line, the cluster) need the binary and do not run with -endpoint.
//
// # A cluster
//
// TestClientsThroughACluster runs the scenarios against three nodes and gives each request to another node than
// the one before, by way of a small HTTP proxy (front_test.go). By default only the Go SDK does so;
// STATOR_COMPAT_CLUSTER=1, or make compat-cluster, has every client do it. Package faults, below, breaks a
// cluster while it works.
package compat
