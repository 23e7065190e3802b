package partition

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/stator-db/stator/partition/transport"
)

// What an operator wants of nodes and shards. It is written into the catalog by its
// leader, to which any node passes it on; the overseer takes it into its plans from
// there. All of it may be said twice.

// ErrOrder says that what an operator wants cannot be done, and why.
var ErrOrder = errors.New("refused")

// orderError is ErrOrder with a reason.
type orderError struct{ reason string }

func (e *orderError) Error() string        { return e.reason }
func (e *orderError) Is(target error) bool { return target == ErrOrder }
func (e *orderError) Code() uint8          { return codeRefused }

func refuse(format string, args ...any) error { return &orderError{fmt.Sprintf(format, args...)} }

// operation is what nodes pass on: either a state for a node, or a move of a shard,
// or the end of its moves.
type operation struct {
	Node  string    `json:"node,omitempty"`
	State NodeState `json:"state,omitempty"`
	Force bool      `json:"force,omitempty"`

	Shard int    `json:"shard,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// SetNodeState says what a node is meant to do: NodeUp, NodeDraining or
// NodeDecommissioning. With force a node may go although the others cannot keep as
// many replicas of each shard as there should be. Errors: ErrOrder, ErrUnavailable,
// ErrRemoved.
func (db *DB) SetNodeState(ctx context.Context, name string, state NodeState, force bool) error {
	return db.operate(ctx, operation{Node: name, State: state, Force: force})
}

// MoveShard has a shard's replica move from one node to another and stay there until
// ReleaseShard. Errors as with SetNodeState.
func (db *DB) MoveShard(ctx context.Context, shard int, from, to string) error {
	return db.operate(ctx, operation{Shard: shard, From: from, To: to})
}

// ReleaseShard ends what MoveShard wanted of a shard: its replicas may be moved for
// the sake of balance again. Errors as with SetNodeState.
func (db *DB) ReleaseShard(ctx context.Context, shard int) error {
	return db.operate(ctx, operation{Shard: shard})
}

// Removed reports whether this node was removed from its cluster: everything is
// answered with ErrRemoved then.
func (db *DB) Removed() bool { return db.node != nil && db.node.removed.Load() }

// operate has the catalog's leader take an operation in.
func (db *DB) operate(ctx context.Context, op operation) error {
	n := db.node
	switch {
	case n == nil:
		return refuse("this server is not a node of a cluster")
	case n.removed.Load():
		return ErrRemoved
	}
	request, err := json.Marshal(op)
	if err != nil {
		return err
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := errNoLeader
		switch to := n.catalog.leader(attempt); {
		case to == n.id:
			err = n.serveOperate(ctx, request)
		case to != 0:
			_, err = n.transport.Call(ctx, uint64(to), methodOperate, request)
		}
		var remote *transport.RemoteError
		switch {
		case err == nil, errors.Is(err, ErrOrder):
			return err
		case errors.As(err, &remote) && remote.Code == codeRefused:
			return &orderError{remote.Message}
		}
		if !n.catalog.pause(ctx, attempt+1) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// serveOperate takes an operation in on the catalog's leader.
func (n *node) serveOperate(ctx context.Context, request []byte) error {
	if !n.leadsCatalog() || n.topology.record() == nil {
		return notHereError{errNotHere}
	}
	var op operation
	if json.Unmarshal(request, &op) != nil {
		return errBadRequest
	}
	if op.Node != "" {
		return n.orderState(ctx, op)
	}
	return n.orderMove(ctx, op)
}

func (n *node) orderState(ctx context.Context, op operation) error {
	m, err := n.memberNamed(op.Node)
	if err != nil {
		return err
	}
	return n.setState(ctx, m.ID, func(was NodeState) (NodeState, error) {
		return op.State, n.checkState(m, was, op)
	})
}

// checkState refuses what would leave the cluster without nodes it needs.
func (n *node) checkState(m nodeRecord, was NodeState, op operation) error {
	others := 0
	for _, o := range n.topology.members() {
		if o.ID != m.ID && o.State == NodeUp {
			others++
		}
	}
	replicas := n.topology.record().Replicas
	switch {
	case was == NodeRemoved:
		return refuse("node %s was removed", m.Name)
	case was == op.State, op.State == NodeUp:
	case op.State != NodeDraining && op.State != NodeDecommissioning:
		return refuse("a node cannot be made %q", string(op.State))
	case op.State == NodeDraining && was == NodeDecommissioning:
		return refuse("node %s is being decommissioned; undo that first", m.Name)
	case others == 0:
		return refuse("there is no other node that is up")
	case op.State == NodeDecommissioning && others < replicas && !op.Force:
		return refuse("without node %s there are %d nodes for %d replicas of each shard: add a node first, or force it", m.Name, others, replicas)
	}
	return nil
}

func (n *node) memberNamed(name string) (nodeRecord, error) {
	members := n.topology.members()
	i := slices.IndexFunc(members, func(m nodeRecord) bool { return m.Name == name })
	if i < 0 {
		return nodeRecord{}, refuse("the cluster has no node named %q", name)
	}
	return members[i], nil
}

func (n *node) orderMove(ctx context.Context, op operation) error {
	n.deciding.Lock()
	defer n.deciding.Unlock()
	placed := n.topology.placed()
	i := slices.IndexFunc(placed, func(s shardRecord) bool { return s.Shard == op.Shard })
	if i < 0 {
		return refuse("the cluster has no shard %d", op.Shard)
	}
	m := mutation{key: ordersKey(op.Shard)} // removes the record
	if op.From != "" || op.To != "" {
		orders, err := n.addOrder(placed[i], op)
		if err != nil {
			return err
		}
		if m, err = topologyRecord(m.key, ordersRecord{Shard: op.Shard, Orders: orders}); err != nil {
			return err
		}
	}
	return n.db.catalogLog.propose(ctx, &recordsCommand{[]mutation{m}}, false)
}

// addOrder returns the shard's orders with a new one, without those that it
// contradicts.
func (n *node) addOrder(s shardRecord, op operation) ([]order, error) {
	from, err := n.memberNamed(op.From)
	if err != nil {
		return nil, err
	}
	to, err := n.memberNamed(op.To)
	if err != nil {
		return nil, err
	}
	o := order{From: from.ID, To: to.ID}
	orders := n.topology.ordersOf(s.Shard)
	switch {
	case slices.Contains(orders, o):
		return orders, nil // under way, or done
	case from.ID == to.ID:
		return nil, refuse("node %s is both where the replica is and where it is to go", from.Name)
	case !slices.Contains(s.Hosts, from.ID):
		return nil, refuse("node %s has no replica of shard %d", from.Name, s.Shard)
	case slices.Contains(s.Hosts, to.ID):
		return nil, refuse("node %s has a replica of shard %d already", to.Name, s.Shard)
	case to.State != NodeUp:
		return nil, refuse("node %s is %s and takes no replicas", to.Name, to.State)
	}
	orders = slices.DeleteFunc(slices.Clone(orders), func(was order) bool {
		return was.To == o.From || was.From == o.To
	})
	return append(orders, o), nil
}

// ordersOf are what an operator wants of a shard.
func (t *topology) ordersOf(shard int) []order {
	t.RLock()
	defer t.RUnlock()
	if o := t.orders[shard]; o != nil {
		return o.Orders
	}
	return nil
}
