// Package web is the phonebook's REST API and its page.
//
//	GET    /api/contacts?q=ada            contacts by the beginning of a name; all without q
//	GET    /api/contacts?number=…         whose number is this
//	GET    /api/contacts?tag=friends      contacts with a tag
//	POST   /api/contacts                  a new contact; the server chooses the id
//	GET    /api/contacts/{id}             one contact, also a deleted one
//	PUT    /api/contacts/{id}             save; "version" is the one that was read, 0 for a new contact
//	DELETE /api/contacts/{id}?version=3   delete
//	POST   /api/contacts/{id}/restore     undo that; body {"version": 4}
//	GET    /api/deleted                   what can be brought back
//	GET    /api/tags                      tags in use
//	GET    /api/changes                   the last changes, from the table's stream
//	POST   /api/imports/{id}?format=csv   import the body (csv or vcard) under an id of the caller's choice
//	GET    /api/imports/{id}              how far that import has come
//	GET    /api/export?format=vcard       everything as one file
//
// Lists take limit and cursor and answer {"contacts": […], "cursor": "…"}. A failure is
// {"error": {"code": "…", "message": "…", "field": "…"}}; a write over another version
// than the caller has seen is a 409 with the code "conflict" and the contact as it is
// now in "current".
//
// # Safety
//
// There is no login: whoever reaches the port may read and write. What a browser sends
// for a page of another origin is refused ([net/http.CrossOriginProtection]), and so is
// every request for a host name that is not expected, which is how a foreign page would
// make its own name point here (DNS rebinding). The page runs under a content security
// policy without inline scripts and with trusted types, and builds its document from
// text nodes only: a contact is hostile input.
package web
