//go:build !linux

package main

// unmapBinary is for Linux.
func unmapBinary() {}
