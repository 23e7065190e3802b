package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine describes the computer the generator runs on.
type Machine struct {
	Processor string `json:"processor"` // empty when unknown
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memoryBytes"` // 0 when unknown
	System    string `json:"system"`
}

// ThisMachine describes the computer this process runs on.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	m.Processor = procField("/proc/cpuinfo", "model name")
	m.Memory = procBytes("/proc/meminfo", "MemTotal")
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(release))
	}
	return m
}

func (m Machine) String() string {
	text := fmt.Sprintf("%d cores", m.Cores)
	if m.Processor != "" {
		text += " " + m.Processor
	}
	if m.Memory > 0 {
		text += fmt.Sprintf(", %.0f GB", float64(m.Memory)/(1<<30))
	}
	return text + ", " + m.System
}

// processMemory reads the memory of a process where the system has /proc.
func processMemory(pid int) Memory {
	file := fmt.Sprintf("/proc/%d/status", pid)
	return Memory{Resident: procBytes(file, "VmRSS"), Anonymous: procBytes(file, "RssAnon")}
}

// clockTick is the unit of processor times in /proc, the same on all Linux systems.
const clockTick = 10 * time.Millisecond

// processorTime reads user and system time of a process where the system has /proc.
func processorTime(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name of the program is in parentheses and may contain spaces; user and
	// system time are fields 14 and 15, counted from 1 with the name as the second.
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * clockTick
}

// procField returns the value of the first line "name: value", empty if there is
// none.
func procField(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// procBytes reads a line "name:   123 kB"; 0 if there is none.
func procBytes(file, name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(procField(file, name), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
