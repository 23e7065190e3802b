// Package front serves HTTP/1.1 connections. It answers plain requests itself and
// leaves everything else to net/http, which costs more for each request than all
// that a DynamoDB GetItem has to do.
//
// # Plain requests
//
// A request is plain if it is what an SDK sends nearly always: "POST / HTTP/1.1"
// whose head arrives at once, with Host, a Content-Length of at most maxBody and no
// header that changes how a connection is used. See parseHead for the exact rules.
// The first other bytes on a connection hand it over, with all that was read and not
// answered, to net/http, which keeps it. So pages, event streams, large bodies,
// chunked bodies and malformed requests are served as ever, and nothing here answers
// what it does not understand: a doubt is no error but a handover.
//
// # What is saved
//
// Between two requests net/http starts a goroutine that watches for the client's
// leaving and stops it, sets four deadlines, makes a context, a request, two header
// maps and copies of them. Here all of this belongs to the connection and is used
// again; the text of a head is copied once, because handlers keep parts of it; an
// answer goes out in one write.
//
// The price: a client that leaves is noticed when its answer cannot be written, not
// earlier. The context of a request ends with the connection or the server. And as
// request, header and writer are used again, a handler must be done with them when it
// returns (strings from the head may be kept).
//
// # Stopping
//
// A connection is idle, or has a request under way, or is closed; see phase.
// [Server.Shutdown] closes the idle ones and waits for the others.
package front
