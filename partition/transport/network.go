package transport

// Network is a network in memory: the same transport over pipes and packets
// that never leave the process. It uses package time only, so that it runs on
// the clock of a testing/synctest bubble in which it was made.
type Network struct {
	faults *Faults
}

// NewNetwork returns a network without nodes. Faults (nil: none) apply to all of
// its nodes that bring none of their own.
func NewNetwork(faults *Faults) *Network { return &Network{faults: faults} }

// Listen adds a node to the network, as the function Listen does over TCP.
func (n *Network) Listen(o Options) (*Transport, error) {
	if o.Faults == nil {
		o.Faults = n.faults
	}
	return listen(o)
}
