//go:build linux

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// network is a bridge with a namespace for each node. Node i has the address 10.90.0.i; the test, which is on the
// bridge itself, reaches all of them whatever is cut.
type network struct {
	t *testing.T
}

func namespaceOf(i int) string { return fmt.Sprintf("n%d", i) }
func addressOf(i int) string   { return fmt.Sprintf("10.90.0.%d", i) }

func newNetwork(t *testing.T, nodes int) *network {
	n := &network{t: t}
	require.NoError(t, os.MkdirAll("/run/netns", 0o755))
	n.do("mount -t tmpfs tmpfs /run/netns") // this run's own, for it has mounts of its own
	n.do("ip link set lo up")
	n.do("ip link add hub type bridge")
	n.do("ip addr add 10.90.0.254/24 dev hub")
	n.do("ip link set hub up")
	for i := 1; i <= nodes; i++ {
		ns := namespaceOf(i)
		n.do("ip netns add %s", ns)
		n.do("ip link add v-%s type veth peer name eth0 netns %[1]s", ns)
		n.do("ip link set v-%s master hub up", ns)
		n.do("ip -n %s link set lo up", ns)
		n.do("ip -n %s addr add %s/24 dev eth0", ns, addressOf(i))
		n.do("ip -n %s link set eth0 up", ns)
		// So that rules can come before local delivery; see cut.
		n.do("ip -n %s rule add pref 10 lookup local", ns)
		n.do("ip -n %s rule del pref 0", ns)
	}
	t.Cleanup(func() {
		for i := 1; i <= nodes; i++ {
			n.do("ip link del v-%s", namespaceOf(i)) // at once; a namespace goes in its own time
			n.do("ip netns del %s", namespaceOf(i))
		}
		n.do("ip link del hub")
		n.do("umount /run/netns")
	})
	return n
}

// cut drops what arrives at a node from another. The sender is not told.
func (n *network) cut(from, to int) {
	n.do("ip -n %s rule add pref 5 from %s/32 iif eth0 blackhole", namespaceOf(to), addressOf(from))
}

// mend undoes cut.
func (n *network) mend(from, to int) {
	n.do("ip -n %s rule del pref 5 from %s/32 iif eth0 blackhole", namespaceOf(to), addressOf(from))
}

func (n *network) do(format string, args ...any) {
	n.t.Helper()
	words := strings.Fields(fmt.Sprintf(format, args...))
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	require.NoErrorf(n.t, err, "%s: %s", words, out)
}
