// Package storage keeps ordered byte strings in Badger databases.
package storage
