package server

import (
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// Ceilings of what one partition serves, in units per second (Developer Guide,
// "Quotas"). Partitions split under load until a partition key has one of its own,
// so here each partition key is one from the beginning.
const (
	partitionReadUnits  = 3000
	partitionWriteUnits = 1000
)

// partitionBurst is what a partition may save up: nothing beyond its second, since
// its ceiling is that of the hardware.
const partitionBurst = time.Second

// maxRate keeps the arithmetic of limits in range; no account has as much.
const maxRate = 1_000_000_000

// A direction is what throughput is for.
type direction bool

const (
	reading direction = false
	writing direction = true
)

// A resource is a table, or an index of it, that throughput is set for. Local
// indexes share their table's.
type resource struct {
	table *partition.Table
	index *partition.Index // nil for the table
}

func resourceOf(t *partition.Table, ix *partition.Index) resource {
	if ix != nil && ix.Local {
		ix = nil
	}
	return resource{t, ix}
}

// rate is the configured limit in units per second, 0 for none: the provisioned
// throughput, or the maximum of an on-demand table.
func (r resource) rate(d direction) int64 {
	if r.table.Billing == partition.Provisioned {
		throughput := &r.table.Throughput
		if r.index != nil {
			throughput = r.index.Throughput
		}
		switch {
		case throughput == nil:
			return 0
		case d == writing:
			return throughput.Write
		}
		return throughput.Read
	}
	maximum := r.table.OnDemand
	if r.index != nil {
		maximum = r.index.OnDemand
	}
	switch {
	case maximum == nil:
		return 0
	case d == writing:
		return maximum.MaxWrite
	}
	return maximum.MaxRead
}

func (r resource) bucket(d direction) bucketKey {
	key := bucketKey{table: r.table.ID, write: bool(d)}
	if r.index != nil {
		key.index = r.index.ID
	}
	return key
}

// arn is the ARN of the table or index.
func (r resource) arn(c *call) string {
	arn := c.tableARN(r.table.Name)
	if r.index != nil {
		arn += "/index/" + r.index.Name
	}
	return arn
}

// hash are the attributes of the resource's partition key.
func (r resource) hash() []partition.KeyAttribute {
	if r.index != nil {
		return r.index.Key.Hash
	}
	return r.table.Key.Hash
}

// A load is an access to one resource, at one partition key or at many.
type load struct {
	resource  resource
	direction direction
	partition uint64 // hash of the partition key
	keyed     bool   // it is at one partition key
	units     units
}

// at says that the load is at one partition key.
func (l load) at(hash []item.Value) load {
	var buf [64]byte
	key := buf[:0]
	for _, v := range hash {
		key = item.AppendKey(key, v)
	}
	l.partition, l.keyed = xxhash.Sum64(key), true
	return l
}

// in says that the load is at the partition key that the item has for the
// resource, if it has one.
func (l load) in(it item.Item) load {
	var hash []item.Value
	for _, a := range l.resource.hash() {
		v := it.Get(a.Name)
		if v == nil {
			return l
		}
		hash = append(hash, v)
	}
	return l.at(hash)
}

// appendCharges appends what the load takes from the buckets it is limited by.
func (l load) appendCharges(dst []charge) []charge {
	bucket := l.resource.bucket(l.direction)
	if rate := l.resource.rate(l.direction); rate > 0 {
		dst = append(dst, charge{limit{bucket, l.resource, min(rate, maxRate), burstTime}, l.units})
	}
	if l.keyed {
		rate := int64(partitionReadUnits)
		if l.direction == writing {
			rate = partitionWriteUnits
		}
		bucket.keyed, bucket.partition = true, l.partition
		dst = append(dst, charge{limit{bucket, l.resource, rate, partitionBurst}, l.units})
	}
	return dst
}

// admit lets loads pass, charging their units, or says which limits are exhausted.
func (c *call) admit(loads ...load) error {
	var buf [8]charge
	charges := buf[:0]
	for _, l := range loads {
		charges = l.appendCharges(charges)
	}
	if exhausted := c.s.throttle.admit(c.s.db.Now(), charges); exhausted != nil {
		return c.throttled(exhausted)
	}
	return nil
}

// charge takes what loads cost, or gives back what they have been charged too much.
func (c *call) charge(loads ...load) {
	var buf [8]charge
	charges := buf[:0]
	for _, l := range loads {
		charges = l.appendCharges(charges)
	}
	c.s.throttle.charge(c.s.db.Now(), charges)
}
