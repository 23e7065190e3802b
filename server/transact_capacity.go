package server

import "github.com/stator-db/stator/partition"

// Transactions pay twice: once to prepare, once to commit (Developer Guide,
// "Amazon DynamoDB transactions: how it works"). Their answers also say which
// kind of units they mean.
const (
	transactFactor = 2

	readUnitsMember  = "ReadCapacityUnits"
	writeUnitsMember = "WriteCapacityUnits"
)

// transactWrite adds the cost of one write or condition check of a transaction.
// Index entries cost what they cost outside of one.
func (c *consumption) transactWrite(r *partition.WriteResult) {
	c.kind = writeUnitsMember
	c.table += transactFactor * writeUnits(r.OldSize, r.NewSize)
	c.writeIndexes(r)
}

// transactRead adds the cost of reading an item of the given size in a
// transaction, 0 for none; or of answering for the second time a transaction that
// wrote it.
func (c *consumption) transactRead(size int) {
	c.kind = readUnitsMember
	c.table += transactFactor * readUnits(size, partition.Strong)
}

// transactCosts are the costs of a transaction by table, in the order in which the
// request names the tables.
type transactCosts []transactCost

type transactCost struct {
	table uint32
	name  string // as the request has it first
	consumption
}

// of returns the costs on a table.
func (l *transactCosts) of(t *partition.Table, name string) *consumption {
	for i := range *l {
		if (*l)[i].table == t.ID {
			return &(*l)[i].consumption
		}
	}
	*l = append(*l, transactCost{table: t.ID, name: name})
	return &(*l)[len(*l)-1].consumption
}

// appendMember writes the response member ConsumedCapacity, and nothing unless
// mode (ReturnConsumedCapacity) asks for it.
func (l transactCosts) appendMember(dst []byte, mode string) []byte {
	if !wantsCapacity(mode) {
		return dst
	}
	dst = append(appendName(dst, "ConsumedCapacity"), '[')
	for i := range l {
		dst = l[i].appendJSON(appendElement(dst), l[i].name, mode)
	}
	return append(dst, ']')
}
