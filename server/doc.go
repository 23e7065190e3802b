// Package server is the wire of Stator: it answers the DynamoDB API over HTTP
// for a [partition.DB]. [Open] gives an http.Handler.
//
// # One request
//
// One gin handler takes everything but the health endpoints, because the
// protocol does not use paths. The order of its checks is the service's, since a
// request with several faults must be answered with the one the service names
// first:
//
//	method, content type     404 or CORS or health text     handler.go, cors.go
//	body read and inflated   413 beyond 16 MiB              body.go
//	X-Amz-Target             UnknownOperationException      operations.go
//	Authorization            the texts of Signature V4      identity.go
//	JSON and member types    SerializationException         internal/api
//	member constraints       ValidationException            internal/api
//	everything else          the operation's own file       op_*.go
//
// The body's syntax is looked at before the target in the service; here the
// decoder finds a syntax error on the way, and only a request that fails earlier
// is checked for it first, so that a good request is read once.
//
// A request is a call: who asks (access key and region of the credential scope,
// which choose the [partition.Namespace] unless the database is shared), the body
// and the response bytes. Operations append their response to it as JSON. Both
// buffers are pooled: decoded requests do not alias the body, and writes are over
// when an operation returns.
//
// # Memory
//
// A request is read into memory whole. What all requests longer than bodyStep may
// take together is bounded by largeBodies; those that find no room wait. budget.go
//
// # Errors
//
// Operations return *apiError, made by the constructors in errors.go, or errors
// of the packages below as they are. toAPIError is the only translator; what it
// does not know is an InternalServerError, logged with its cause. A panic in an
// operation is such an error too, and the process lives.
//
// # Beside the API
//
// /health and /ready are for probes. Below /_stator/ lie endpoints for operators and
// tests (admin.go), in memory or with Options.Admin; they answer in plain JSON. The
// clock that they move is the database's: partition.DB.Now. A node of a cluster with a
// partition.Lab is broken and healed through those of lab.go.
//
// The console (console.go, package console) is a page that speaks the API to its own
// origin. What it looks at besides is served by every server: the request log
// (requestlog.go), which takes requests only while somebody looks, counters by
// operation (operation_counters.go), and the namespaces. Requests pass both in
// call.observe. The same counters, and those of the database, are what /metrics shows
// (metrics.go). Pages of origins that are not allowed may not write (cors.go).
//
// # Responses
//
// Every answer carries x-amzn-RequestId, x-amz-crc32 of the bytes as sent, and
// Content-Length; bodies from 4 KiB are compressed for clients that accept gzip.
// In a cluster a client may ask which replicas answered (replicas.go).
//
// # Throughput and faults
//
// Operations reach items through the methods in metered.go. With
// Options.EnforceThroughput these keep to the limits of throttle.go, which are token
// buckets (buckets.go) filled by the database's clock; batches and transactions
// learn item by item what was turned away. Off, they are one comparison.
//
// Rules of faults (fault.go, fault_serve.go) stand between the dispatcher and the operation. What a
// rule needs to know about a request, fault_target.go reads from it anew: nothing in
// the operations knows of faults, and without rules there is one atomic load.
//
// # Where it differs from the service
//
// DIVERGENCE.md lists it item by item, down to the members of every request; its
// test compares the lists with the API model and this package. The rule: what the
// service would act on and this server would not is refused with a
// ValidationException that says so, never accepted and ignored. The differences that
// shape the code:
//
//   - Signatures are parsed, not verified: any credentials are good.
//   - Tables become usable before the answer of CreateTable; statuses pass through
//     CREATING, UPDATING and DELETING in the answers only, except for an index
//     that is being filled.
//   - A stream has one shard for each shard of the database. They do not split while
//     it is enabled, so none has a parent.
//   - Throttling, where it is enforced, takes every partition key to have a partition
//     of its own, and lets on-demand tables without a maximum scale at once.
package server
