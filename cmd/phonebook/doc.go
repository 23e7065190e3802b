// Command phonebook is a small application on top of a DynamoDB table, to be read, run
// and taken apart: a page and a REST API for contacts, with search as you type, reverse
// lookup, tags, edits that never overwrite somebody else's, undo, recent changes, import
// and export.
//
//	phonebook            serve on http://127.0.0.1:8080 with a store of its own in ./phonebook-data
//	phonebook generate   make contacts up
//	phonebook import     import a vCard or CSV file
//	phonebook export     write one
//
// It knows its table through aws-sdk-go-v2 only. Where the table is, store.go decides:
// without --endpoint a Stator server runs inside the process and listens on a loopback
// port; with the URL of a DynamoDB endpoint the table is there; with "--endpoint aws" it
// is in the account and region of the AWS configuration. template.yaml deploys the very
// same binary as two AWS Lambda functions beside the table. Nothing is kept in memory
// that another process would miss, and nothing runs between requests.
//
// Every flag can be given as an environment variable: --data-dir is PHONEBOOK_DATA_DIR.
//
// # Where to read
//
//	internal/contact   a contact, its rules, how names and numbers become comparable
//	internal/book      the table: its keys, search, writes with versions, import, changes
//	internal/card      vCard and CSV
//	internal/web       the API and the page (assets/, plain JavaScript without a build)
//	internal/sample    made-up contacts
//
// The table's key schema, which is the heart of it, is drawn in the package comment of
// internal/book.
package main
