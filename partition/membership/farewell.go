package membership

import "encoding/binary"

// A farewell is the message in which a node tells each member that it leaves: a
// format byte and its id. Its metadata says so too, but gossip may bring the news
// that it is gone first, and then drops the older news that it leaves.
const (
	farewellFormat = 1
	farewellSize   = 1 + 8
)

func farewell(id uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{farewellFormat}, id)
}

func parseFarewell(message []byte) (id uint64, ok bool) {
	if len(message) < farewellSize || message[0] != farewellFormat {
		return 0, false
	}
	return binary.LittleEndian.Uint64(message[1:]), true
}

// sayFarewell sends one packet to each member that is alive, and waits for no
// answer.
func (m *Membership) sayFarewell() {
	message := farewell(m.o.ID)
	for _, n := range m.list.Members() {
		if n.Name == m.o.Name {
			continue
		}
		if err := m.list.SendBestEffort(n, message); err != nil {
			m.log.Debug("a member may not hear that this node leaves", "member", n.Name, "error", err)
		}
	}
}

// hearFarewell takes in that a member leaves, or that one which is gone had meant
// to.
func (m *Membership) hearFarewell(id uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, k := range m.known {
		if k.ID != id || k.leaving {
			continue
		}
		k.leaving = true
		if k.State == Failed {
			k.State = Left
			m.tellLocked(MemberLeft, k.Member)
		}
		m.known[name] = k
	}
}
