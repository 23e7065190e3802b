package main

import "syscall"

// ownGroup puts a child out of reach of the terminal's signals.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
