//go:build race

package partiql

func init() { underRace = true }
