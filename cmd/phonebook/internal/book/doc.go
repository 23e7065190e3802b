// Package book keeps contacts in one DynamoDB table and finds them again. It speaks to
// the table through aws-sdk-go-v2 and does not know whose table it is.
//
// # The table
//
// One table with a partition key pk and a sort key sk, both strings, and one global
// secondary index "find" with find_pk and find_sk, also strings, that projects
// everything. A contact is an item collection, the rows with its pk:
//
//	pk          sk        find_pk        find_sk                what the row is for
//	contact#ID  contact   name#a         ada king lovelace #ID  the contact; its place in the alphabet
//	contact#ID  name#1    name#k         king lovelace ada #ID  search by another word of the name
//	contact#ID  name#2    name#l         lovelace ada king #ID
//	contact#ID  name#3    name#e         engines ltd ada … #ID  search by the company
//	contact#ID  number#0  number#2819    9182094 #ID            reverse lookup: digits from the last to the first
//	contact#ID  tag#0     tag#friends    ada king lovelace #ID  the contacts with a tag, in order
//	contact#ID  contact   deleted        1767225600000 #ID      a deleted contact has this row only, and expires
//	tags        friends                                         one row for each tag in use
//	import#ID   progress                                        how far an import has come; expires
//
// Why so:
//
//   - All rows of a contact share a partition key, so reading a contact to change it is
//     one Query, and writing it is one transaction inside one partition. Whoever
//     searches never finds half a change.
//   - begins_with on find_sk is a search by prefix. Names are folded ([contact.Fold])
//     before they become keys, and so is what is searched for: no case, no accents.
//   - The index has one partition key per first letter (a to z, 0 for digits, ~ for
//     everything else) rather than one for all names, which one partition would have to
//     serve alone, and a fixed set of them, so that the whole book can be read in order.
//   - Telephone numbers are compared from the end, where a national and an international
//     form agree ([contact.Digits]). The last four digits choose the partition key; the
//     digits reversed are the sort key, so that "ends with" is again a prefix.
//   - Search rows carry what a list shows (name, company, numbers, tags): a search is
//     one Query, without a second read for each hit.
//   - A contact that is found by several of its rows ("an" finds Anna Anders twice) is
//     shown for the first of its names that matches: that needs no memory across pages.
//
// # Writes
//
// Every write of a contact states the version it has seen, and a condition on the
// contact row compares it inside the transaction. Who comes second gets a
// [ConflictError] with the current contact, and nothing is lost.
//
// Imports are different: BatchWriteItem has no conditions and is not atomic. Contacts
// that are new are written search rows first and contact row last, under an ID derived
// from the file ([contact.DerivedID]). An import that was cut off can therefore be
// repeated: what has its contact row is there already, and the rest is written again to
// the very same rows. Until then search may show a contact that opens as "not found".
//
// # Changes
//
// The table's stream carries every change with the images before and after. [Changes]
// reads it when asked and has no goroutine of its own, so that it works inside a
// function that is frozen between requests.
//
// # Consistency
//
// The index of a table in AWS follows its table after a moment: a search just after a
// write may miss it. Opening a contact and saving it are strongly consistent.
package book
