package partition

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
)

// How a node without a cluster finds one (serf's and Consul's bootstrap-expect):
// it asks the addresses it was given, and the nodes that gossip tells of.
// If one is a member of a cluster, it joins that. Else, once as many as expected
// are there, the one whose name comes first has the others promise to wait for
// it, makes the cluster, and they join it.

// greeting is a node's answer to methodHello.
type greeting struct {
	ID      uint64   `json:"id,string"`
	Name    string   `json:"name"`
	Addr    string   `json:"addr"`
	Cluster [16]byte `json:"cluster"` // zero: none yet
}

func (n *node) serveHello() ([]byte, error) {
	return json.Marshal(greeting{
		ID: uint64(n.id), Name: n.opts.Name, Addr: n.transport.Addr(), Cluster: n.pool.Identity().ClusterID,
	})
}

// promiseTime is how long a node waits for the one it has promised to.
const promiseTime = 10 * time.Second

func (n *node) servePromise(from uint64) ([]byte, error) {
	n.promise.Lock()
	defer n.promise.Unlock()
	if n.pool.Identity().ClusterID != [16]byte{} {
		return nil, errors.New("is a member of a cluster")
	}
	if n.promise.to != from && time.Now().Before(n.promise.until) {
		return nil, errors.New("waits for another node")
	}
	n.promise.to, n.promise.until = from, time.Now().Add(promiseTime)
	return nil, nil
}

const (
	enrollPause   = 100 * time.Millisecond
	announcePause = 10 * time.Second
)

// enroll makes this node a member of a cluster.
func (n *node) enroll(ctx context.Context) error {
	for said := false; ; said = true {
		found := n.greet(ctx)
		exists := false
		for _, g := range found {
			if g.Cluster != [16]byte{} {
				exists = true
				err := n.join(ctx, g.Addr)
				if err == nil || isRemoved(err) {
					return err
				}
				if !said {
					n.db.log.Warn("joining the cluster failed, trying again", "address", g.Addr, "error", err)
				}
			}
		}
		switch {
		case exists: // and makes no second one, whatever keeps this node out
		case n.mayMake() && n.isFirst(ctx, found):
			return n.makeCluster()
		case said:
		case n.mayMake():
			n.db.log.Info("waiting for other nodes", "here", len(found)+1, "expected", n.opts.BootstrapExpect)
		default:
			n.db.log.Info("waiting for a cluster to join", "addresses", n.opts.Join)
		}
		timer := time.NewTimer(enrollPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("no cluster found at %v: %w", n.opts.Join, context.Cause(ctx))
		}
	}
}

// mayMake reports whether this node may make a cluster. One that was given others
// to join and does not expect any is to join theirs, even if it is the first to be
// there.
func (n *node) mayMake() bool {
	return n.opts.BootstrapExpect > 1 || !slices.ContainsFunc(n.opts.Join, func(addr string) bool { return addr != n.transport.Addr() })
}

// greet greets everybody there is an address of.
func (n *node) greet(ctx context.Context) []greeting {
	var found []greeting
	asked := map[string]bool{n.transport.Addr(): true}
	addrs := slices.Clone(n.opts.Join)
	for _, m := range n.alive() {
		addrs = append(addrs, m.ClusterAddr)
	}
	for _, addr := range addrs {
		if asked[addr] {
			continue
		}
		asked[addr] = true
		call, cancel := context.WithTimeout(ctx, time.Second)
		response, err := n.transport.CallAddr(call, addr, methodHello, nil)
		cancel()
		var g greeting
		if err != nil {
			n.db.log.Debug("a node did not answer", "address", addr, "error", err)
		}
		if err != nil || json.Unmarshal(response, &g) != nil || g.ID == uint64(n.id) {
			continue
		}
		g.Addr = addr
		if !slices.ContainsFunc(found, func(f greeting) bool { return f.ID == g.ID }) {
			found = append(found, g)
		}
	}
	return found
}

// isFirst reports whether this node is to make the cluster, and has the word of
// the others that they will wait.
func (n *node) isFirst(ctx context.Context, found []greeting) bool {
	if len(found)+1 < n.opts.BootstrapExpect {
		return false
	}
	slices.SortFunc(found, func(a, b greeting) int { return cmp.Compare(a.Name, b.Name) })
	if len(found) > 0 && found[0].Name < n.opts.Name {
		return false
	}
	n.promise.Lock()
	free := n.promise.to == uint64(n.id) || time.Now().After(n.promise.until)
	if free {
		n.promise.to, n.promise.until = uint64(n.id), time.Now().Add(promiseTime)
	}
	n.promise.Unlock()
	if !free {
		return false
	}
	for _, g := range found[:n.opts.BootstrapExpect-1] {
		call, cancel := context.WithTimeout(ctx, time.Second)
		_, err := n.transport.CallAddr(call, g.Addr, methodPromise, nil)
		cancel()
		if err != nil {
			n.db.log.Debug("a node did not promise", "address", g.Addr, "error", err)
			return false
		}
	}
	return true
}

// makeCluster makes a cluster of this node alone. Its first act as leader of the
// catalog is to write down what the cluster is.
func (n *node) makeCluster() error {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return err
	}
	if err := n.become(id); err != nil {
		return err
	}
	n.db.log.Info("made a cluster", "nodes expected", n.opts.BootstrapExpect, "shards", n.opts.Shards, "replicas", n.opts.Replicas)
	return n.startGroup(catalogGroup, -1, []replication.Node{n.id})
}

func (n *node) become(id [16]byte) error {
	identity := n.pool.Identity()
	identity.ClusterID = id
	if err := n.pool.SetIdentity(identity); err != nil {
		return err
	}
	n.transport.SetCluster(id)
	return n.members.Update(n.meta())
}

// admission is the answer to methodJoin: the cluster, and who is in it.
type admission struct {
	Cluster [16]byte     `json:"cluster"`
	Nodes   []nodeRecord `json:"nodes"`
}

func (n *node) self() nodeRecord {
	return nodeRecord{
		ID: uint64(n.id), Name: n.opts.Name, Addr: n.transport.Addr(), HTTP: n.opts.HTTP,
		Zone: n.opts.Zone, Version: n.opts.Version, PID: os.Getpid(), State: NodeUp,
	}
}

// join asks a member to be let in.
func (n *node) join(ctx context.Context, addr string) error {
	request, err := json.Marshal(n.self())
	if err != nil {
		return err
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	response, err := n.transport.CallAddr(ctx, addr, methodJoin, request)
	if err != nil {
		return err
	}
	var a admission
	if err := json.Unmarshal(response, &a); err != nil {
		return err
	}
	if err := n.become(a.Cluster); err != nil {
		return err
	}
	for _, m := range a.Nodes {
		if m.ID != uint64(n.id) {
			n.transport.SetPeer(m.ID, m.Name, m.Addr)
		}
	}
	return n.startGroup(catalogGroup, -1, nil)
}

// serveJoin lets a node in, or passes it on to the catalog's leader. A member
// that announces itself again changes its addresses.
func (n *node) serveJoin(ctx context.Context, request []byte) ([]byte, error) {
	if !n.leadsCatalog() {
		leader := n.leaderOf(catalogGroup)
		if leader == 0 || leader == n.id {
			return nil, ErrUnavailable
		}
		response, err := n.transport.Call(ctx, uint64(leader), methodJoin, request)
		if isRemoved(err) {
			err = removedError{ErrRemoved}
		}
		return response, err
	}
	var m nodeRecord
	if err := json.Unmarshal(request, &m); err != nil {
		return nil, errBadRequest
	}
	if err := n.admit(ctx, m); err != nil {
		n.db.log.Warn("a node was refused", "name", m.Name, "address", m.Addr, "reason", err)
		return nil, err
	}
	c := n.topology.record()
	if c == nil {
		return nil, ErrUnavailable
	}
	return json.Marshal(admission{Cluster: c.ID, Nodes: n.topology.members()})
}

// admit enters a node into the catalog. A node of the same name with another
// disk takes the place of the old one, unless that is alive.
func (n *node) admit(ctx context.Context, m nodeRecord) error {
	n.deciding.Lock()
	defer n.deciding.Unlock()
	var records []mutation
	for _, old := range n.topology.members() {
		switch {
		case old.ID == m.ID:
			m.State = old.State
			if old == m {
				return nil
			}
		case old.Name == m.Name && n.isActive(old.ID):
			return fmt.Errorf("a node named %s is running at %s with another data directory", old.Name, old.Addr)
		case old.Name == m.Name:
			old.State = NodeRemoved
			r, err := topologyRecord(nodeKey(old.ID), old)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
	}
	if was := n.nodeByID(m.ID); was != nil && was.State == NodeRemoved {
		return removedError{ErrRemoved}
	}
	r, err := topologyRecord(nodeKey(m.ID), m)
	if err != nil {
		return err
	}
	return n.db.catalogLog.propose(ctx, &recordsCommand{append(records, r)}, false)
}

func (n *node) nodeByID(id uint64) *nodeRecord {
	n.topology.RLock()
	defer n.topology.RUnlock()
	return n.topology.nodes[id]
}

// isActive reports whether the catalog's leader, this node, hears a node.
func (n *node) isActive(id uint64) bool {
	if id == uint64(n.id) {
		return true
	}
	for _, p := range n.runtime.Status(catalogGroup).Peers {
		if uint64(p.Node) == id {
			return p.Active
		}
	}
	return false
}

// announce tells the cluster this node's addresses once it is a member, and hears
// whether it still is one: now and then, for a node that is removed may not get the
// record that says so.
func (n *node) announce() {
	request, err := json.Marshal(n.self())
	if err != nil {
		return
	}
	for attempt := 0; ; attempt++ {
		ctx, cancel := n.bounded(n.ctx)
		err := n.present(ctx, request, attempt)
		cancel()
		pause := enrollPause
		switch {
		case err == nil:
			attempt, pause = -1, announcePause
		case isRemoved(err):
			n.wasRemoved()
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-n.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// present has the catalog's leader enter this node's record as it is now.
func (n *node) present(ctx context.Context, request []byte, attempt int) error {
	to := n.catalog.leader(attempt)
	switch {
	case n.leadsCatalog():
		_, err := n.serveJoin(ctx, request)
		return err
	case to == 0 || to == n.id:
		return errNoLeader
	}
	_, err := n.transport.Call(ctx, uint64(to), methodJoin, request)
	return err
}

// removedError is ErrRemoved between nodes.
type removedError struct{ error }

func (removedError) Code() uint8 { return codeRemoved }

func isRemoved(err error) bool {
	var remote *transport.RemoteError
	return errors.Is(err, ErrRemoved) || errors.As(err, &remote) && remote.Code == codeRemoved
}

// wasRemoved ends this node's service.
func (n *node) wasRemoved() {
	if !n.removed.Swap(true) {
		err := ErrRemoved
		n.db.failure.CompareAndSwap(nil, &err)
		n.db.log.Error("nothing is served any more", "error", err)
	}
}
