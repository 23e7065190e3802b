package main

import "syscall"

// ownGroup puts a child out of reach of the terminal's signals, and has it stop
// if this process dies without having stopped it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
