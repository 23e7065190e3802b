package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/stator-db/stator/storage"
)

// flagNames are the options that an error text may recommend, in the spelling of
// the command line in use.
type flagNames struct {
	port, host, dataDir string
	shards              string // empty when the command line has no such option
}

// explainListen turns an error of net.Listen into one that names the remedy.
func explainListen(err error, host string, port int, flags flagNames) error {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	var remedy string
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		remedy = fmt.Sprintf("port %d is in use by another process: stop it, or choose another port with %s", port, flags.port)
	case errors.Is(err, fs.ErrPermission):
		remedy = fmt.Sprintf("not permitted to listen on port %d: choose one above 1023 with %s", port, flags.port)
	case flags.host != "":
		remedy = fmt.Sprintf("%v: check the address given with %s", rootCause(err), flags.host)
	default:
		remedy = fmt.Sprintf("%v: check the port given with %s", rootCause(err), flags.port)
	}
	return &explained{text: fmt.Sprintf("cannot listen on %s: %s", address, remedy), cause: err}
}

// rootCause skips the layers of a network error that only repeat the address.
func rootCause(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// explainData turns an error about a data directory into one that names the
// remedy. Errors it does not know keep their text.
func explainData(err error, dir string, flags flagNames) error {
	text := fmt.Sprintf("data directory %s: %v", dir, err)
	switch {
	case errors.Is(err, storage.ErrLocked):
		text = fmt.Sprintf("data directory %s is in use by another process: stop that process, or choose another directory with %s", dir, flags.dataDir)
	case errors.Is(err, storage.ErrNoData):
		text = fmt.Sprintf("no data in %s: name the directory that the server was started with (%s)", dir, flags.dataDir)
	case errors.Is(err, storage.ErrShardCount) && flags.shards != "":
		text += fmt.Sprintf(" (%s, %s)", flags.shards, flags.dataDir)
	case errors.Is(err, storage.ErrManifest), errors.Is(err, storage.ErrCorrupt):
		text += fmt.Sprintf(" (nothing was changed or deleted: restore the directory from a backup, or choose another one with %s)", flags.dataDir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		text += fmt.Sprintf(": make it writable for the user of this process, or choose another directory with %s", flags.dataDir)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		text += fmt.Sprintf(": a file is in the way; choose another directory with %s", flags.dataDir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		text += ": free some disk space and start again"
	case errors.Is(err, syscall.EMFILE):
		text += ": raise the limit of open files (ulimit -n)"
	case errors.Is(err, fs.ErrNotExist):
		text += fmt.Sprintf(": check the path given with %s", flags.dataDir)
	}
	return &explained{text: text, cause: err}
}

// explained is an error with a text for the user that keeps its cause.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// oneLine is the text of err without line breaks, which causes from other
// libraries may contain.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
