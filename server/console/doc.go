// Package console is the web console of a node: static files and the handler that
// serves them.
//
// The console is only a client. Its page speaks the DynamoDB protocol to the origin it
// came from, with an access key and region of the user's choice and no signature to
// speak of, and reads what every server tells below /_stator/ (cluster, namespaces,
// operations, requests) and at /metrics. Nothing of it runs in the server.
//
// # Assets
//
// The files in assets are served as they are: ES modules that import each other by
// relative paths, without a build step. Libraries lie in assets/vendor with their
// licences; its README.md says which, and what was changed.
//
// A file's address is VERSION/path, where VERSION is a hash of all files. Browsers
// keep it for ever, a new build has new addresses, and relative imports stay within
// one version. Only the page itself is asked for each time. Files are compressed once,
// when first asked for.
//
// # Safety
//
// Items are hostile input. Everything that is shown goes through Preact as text; the
// Content-Security-Policy allows no inline script or style, and Trusted Types without
// a policy make the browser itself refuse to parse a string as HTML. A page of another
// origin cannot frame the console. Which origins may write is the server's matter.
//
// # The page
//
//	app.js          routes, navigation, theme, keys
//	dynamodb.js     the protocol: requests, errors, retries
//	json.js         JSON with numbers as text, and positions of errors
//	values.js       attribute values: DynamoDB JSON, plain JSON, text
//	expressions.js  placeholders; conditions, updates and filters
//	requests.js     a Query or Scan from its form
//	bulk.js         batches, and results of many pages
//	files.js        CSV and JSON, piece by piece
//	streams.js      following a stream
//	operations.js   rates and percentiles from counters
//	cluster.js      the ring, and traffic from counters
//	pages/          one file a page
//	ui/             what pages share: dialogs, grid, editor, charts
//
// The editor is the browser's text field over its own coloured text, not one of the
// large components: those bring more code than all of the console, draw their own
// cursor, and build HTML from text, which the policy forbids.
//
// Numbers never pass through JavaScript's own: they are text from the response to the
// editor and back. An edit is saved as an update of the attributes that were changed,
// on the condition that these are what they were when they were read; so a change by
// somebody else is neither lost nor silently mixed into one of ours.
//
// What the page holds is bounded: one page of results, and the latest requests and
// records of the live views. Exports and imports stream.
package console
