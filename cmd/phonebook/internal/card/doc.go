// Package card reads and writes contacts as files: vCard (RFC 6350, and the versions 3.0
// and 2.1 as telephones write them) and CSV with a header, in the columns that Google
// Contacts and Outlook use. Readers take one record at a time from a stream, keep at most
// one in memory, and take whatever a hostile file holds; records that are no contacts are
// *contact.RecordError, after which reading goes on.
//
// What a contact here does not have is dropped by a reader: addresses, pictures, a second
// email. Writers write everything but history. What they write, readers read back
// unchanged, but for semicolons in vCard's structured fields.
package card
