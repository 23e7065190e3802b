//go:build unix && !linux

package main

import "syscall"

// ownGroup puts a child out of reach of the terminal's signals.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
