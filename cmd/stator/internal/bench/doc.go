// Package bench measures any server that speaks the DynamoDB API over HTTP.
//
// A Plan says what is measured: the cross product of workloads and numbers of
// connections, each combination Repeat times, in turns, so that a slow minute of
// the machine falls on all of them. [Measure] creates a table, loads it, makes the
// runs and deletes the table. The result is a [Report]: a value that [Report.Save]
// and [Load] keep as JSON, [WriteTable] prints, [WritePage] draws and [Compare]
// sets against another.
//
// # The generator
//
// The server under test usually shares the processors with the generator, so the
// generator must be cheap. Each connection is one goroutine with its own socket,
// random numbers and buffers; a request is a prepared header, a length and a body
// appended to a buffer, and goes out in one write. There is no SDK and no JSON
// library in that path. Requests carry an Authorization header that looks like
// Signature Version 4 but is computed only when the target asks for it.
//
// # Closed and open loop
//
// In a closed loop every connection sends its next request when the last one was
// answered. That finds the highest throughput, but a server that stalls also stops
// the generator, and the requests that would have suffered are never sent
// ("coordinated omission").
//
// In an open loop (Plan.Rate) the requests have start times fixed beforehand. One
// that cannot start on time because all connections are busy waits, and its latency
// counts from the intended start. Requests whose turn never came before the end of
// the run are reported as [FaultUnsent] and count with the time they waited.
//
// # What is counted
//
// Percentiles cover requests that succeeded and those that got no answer (time-out,
// broken connection, never sent), with the time waited. Requests answered with an
// error are left out of the percentiles, because refusing is quick; every error is
// counted by its exception name and shown next to the figures. Batch operations
// whose answer hands items back, and reads that do not find an item that must
// exist, count as errors. The generator never repeats a request.
package bench
