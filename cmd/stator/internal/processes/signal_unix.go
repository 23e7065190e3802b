//go:build unix

package processes

import (
	"os"
	"syscall"
)

func signalProcess(p *os.Process, suspend bool) error {
	if suspend {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}
