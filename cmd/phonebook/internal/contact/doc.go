// Package contact holds what a phonebook is about: a contact, the rules its fields
// obey, and the two normal forms that make it findable. [Fold] makes names
// comparable, [Digits] makes numbers comparable. The package knows no database and
// no HTTP.
package contact
