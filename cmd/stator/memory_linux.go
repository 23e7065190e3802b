package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapBinary gives back the pages of the binary's code and constants, two thirds of
// an idle server's memory: the start runs once through most of them, and the system
// maps 15 neighbours with each. What is needed later is mapped again from the file's
// cache, a microsecond for each 16 pages.
func unmapBinary() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return // no /proc: the pages stay
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for _, m := range constantMaps(string(maps), exe) {
		// A refusal changes nothing.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.until-m.from, unix.MADV_DONTNEED)
	}
}

// addresses is a range of memory.
type addresses struct{ from, until uintptr }

// constantMaps reads the ranges of a file that are mapped and cannot be written to
// from the text of /proc/self/maps:
//
//	00400000-00f80000 r-xp 00000000 fe:00 12345   /usr/bin/stator
//
// Only these may be dropped: they are what the file says.
func constantMaps(maps, file string) []addresses {
	var list []addresses
	for line := range strings.Lines(maps) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "r-xp" && fields[1] != "r--p" || !strings.HasSuffix(strings.TrimRight(line, "\n"), " "+file) {
			continue
		}
		var m addresses
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &m.from, &m.until); err == nil {
			list = append(list, m)
		}
	}
	return list
}
