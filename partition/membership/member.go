package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Meta is what a node tells the others about itself and may change while it
// runs.
type Meta struct {
	HTTPAddr    string   // where clients reach it, host:port; at most 128 bytes
	Zone        string   // what fails together; at most 64 bytes
	Version     string   // of the program, for people; at most 64 bytes
	ClusterID   [16]byte // of the cluster it is member of; zero: none yet
	Protocol    uint32   // the protocol it speaks
	MinProtocol uint32   // the oldest it understands
	Capacity    uint32   // weight: how much it can hold compared with others
	Load        uint32   // as the node measures it
	Draining    bool     // it is to be emptied
	PID         int      // of its process
}

// A State is what a member is thought to be.
type State uint8

// The states of members.
const (
	Alive  State = iota + 1
	Failed       // it does not answer
	Left         // it said that it goes
)

func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Failed:
		return "failed"
	case Left:
		return "left"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// A Member is a node as gossip knows it.
type Member struct {
	Name        string
	ID          uint64
	ClusterAddr string // of its transport, host:port
	State       State
	Meta

	leaving bool // it announced that it leaves
}

const (
	metaFormat = 1
	metaFixed  = 1 + 8 + 16 + 4 + 4 + 1 + 4 + 4 + 4
	// metaLimit is memberlist.MetaMaxSize.
	metaLimit = 512

	flagDraining = 1
	flagLeaving  = 2

	maxAddr = 128
	maxWord = 64
)

// validate reports every problem at once.
func (m Member) validate() error {
	var problems []error
	check := func(what, s string, limit int) {
		if len(s) > limit {
			problems = append(problems, fmt.Errorf("membership: %s %q is longer than %d bytes", what, s, limit))
		}
	}
	check("cluster address", m.ClusterAddr, maxAddr)
	check("HTTP address", m.HTTPAddr, maxAddr)
	check("zone", m.Zone, maxWord)
	check("version", m.Version, maxWord)
	if m.ID == 0 {
		problems = append(problems, errors.New("membership: node id is 0"))
	}
	if m.MinProtocol > m.Protocol {
		problems = append(problems, fmt.Errorf("membership: minimum protocol %d is beyond protocol %d", m.MinProtocol, m.Protocol))
	}
	if m.PID < 0 || uint64(m.PID) > 1<<32-1 {
		problems = append(problems, fmt.Errorf("membership: process id %d", m.PID))
	}
	return errors.Join(problems...)
}

// encode returns the metadata of a valid member, at most metaLimit bytes.
func (m Member) encode() []byte {
	b := make([]byte, 0, metaFixed+4+len(m.ClusterAddr)+len(m.HTTPAddr)+len(m.Zone)+len(m.Version))
	b = append(b, metaFormat)
	b = binary.LittleEndian.AppendUint64(b, m.ID)
	b = append(b, m.ClusterID[:]...)
	b = binary.LittleEndian.AppendUint32(b, m.Protocol)
	b = binary.LittleEndian.AppendUint32(b, m.MinProtocol)
	var flags byte
	if m.Draining {
		flags |= flagDraining
	}
	if m.leaving {
		flags |= flagLeaving
	}
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint32(b, m.Capacity)
	b = binary.LittleEndian.AppendUint32(b, m.Load)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.PID))
	for _, s := range []string{m.ClusterAddr, m.HTTPAddr, m.Zone, m.Version} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return b
}

// errMeta marks metadata that no node of this format sends.
var errMeta = errors.New("unreadable metadata")

// decode reads the metadata of a member that is alive.
func decode(name string, b []byte) (Member, error) {
	if len(b) < metaFixed || len(b) > metaLimit {
		return Member{}, fmt.Errorf("%w: %d bytes", errMeta, len(b))
	}
	if b[0] < metaFormat {
		return Member{}, fmt.Errorf("%w: format %d", errMeta, b[0])
	}
	m := Member{
		Name:  name,
		ID:    binary.LittleEndian.Uint64(b[1:]),
		State: Alive,
		Meta: Meta{
			ClusterID:   [16]byte(b[9:]),
			Protocol:    binary.LittleEndian.Uint32(b[25:]),
			MinProtocol: binary.LittleEndian.Uint32(b[29:]),
			Draining:    b[33]&flagDraining != 0,
			Capacity:    binary.LittleEndian.Uint32(b[34:]),
			Load:        binary.LittleEndian.Uint32(b[38:]),
			PID:         int(binary.LittleEndian.Uint32(b[42:])),
		},
		leaving: b[33]&flagLeaving != 0,
	}
	rest := b[metaFixed:]
	for _, s := range []*string{&m.ClusterAddr, &m.HTTPAddr, &m.Zone, &m.Version} {
		if len(rest) < 1 || len(rest) < 1+int(rest[0]) {
			return Member{}, fmt.Errorf("%w: cut off", errMeta)
		}
		*s = string(rest[1 : 1+rest[0]])
		rest = rest[1+rest[0]:]
	}
	if err := m.validate(); err != nil {
		return Member{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	return m, nil
}
