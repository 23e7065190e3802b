package server

import (
	"fmt"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// Values of the API shape BillingMode.
const (
	billingProvisioned   = "PROVISIONED"
	billingPayPerRequest = "PAY_PER_REQUEST"
)

// Account quotas on provisioned throughput, in units per second (Developer Guide,
// "Quotas": defaults of most regions).
const (
	accountMaxUnits = 80_000
	tableMaxUnits   = 40_000
	absurdUnits     = 1_000_000_000_000
)

// Throughput that a new on-demand table can serve at once, in units per second.
const (
	onDemandWarmRead  = 12_000
	onDemandWarmWrite = 4_000
)

const neitherCapacity = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"

// checkBounds reports capacity that no account has; index is empty for the table.
func checkBounds(p *api.ProvisionedThroughput, index string) error {
	if p == nil {
		return nil
	}
	suffix := ""
	if index != "" {
		suffix = " for index " + index
	}
	if n := p.ReadCapacityUnits.Value; n > absurdUnits {
		return validation("Given value %d for ReadCapacityUnits is out of bounds%s", n, suffix)
	}
	if n := p.WriteCapacityUnits.Value; n > absurdUnits {
		return validation("Given value %d for WriteCapacityUnits is out of bounds%s", n, suffix)
	}
	return nil
}

// checkQuota reports capacity above what one table or index (not empty) may have.
// DynamoDB Local has no such limit.
func (c *call) checkQuota(p *api.ProvisionedThroughput, index string) error {
	if p == nil || c.s.options.Local {
		return nil
	}
	for _, u := range []struct {
		name  string
		value int64
	}{{"ReadCapacityUnits", p.ReadCapacityUnits.Value}, {"WriteCapacityUnits", p.WriteCapacityUnits.Value}} {
		if u.value <= tableMaxUnits {
			continue
		}
		what, scope := u.name, "table"
		if index != "" {
			what, scope = u.name+" for index "+index, "index"
		}
		return limitExceeded(fmt.Sprintf("The requested %s, %d, is above the per %s maximum for the account in %s. Per %s maximum: %d. %s",
			what, u.value, scope, c.arnRegion(), scope, int64(tableMaxUnits), seeLimits))
	}
	return nil
}

const seeLimits = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."

// provisioned is the stored form of checked capacity; nil is none.
func provisioned(p *api.ProvisionedThroughput) partition.Throughput {
	if p == nil {
		return partition.Throughput{}
	}
	return partition.Throughput{Read: p.ReadCapacityUnits.Value, Write: p.WriteCapacityUnits.Value}
}

// sameUnits reports whether the request asks for what is there.
func sameUnits(t partition.Throughput, p *api.ProvisionedThroughput) bool {
	return t.Read == p.ReadCapacityUnits.Value && t.Write == p.WriteCapacityUnits.Value
}

// Decreases of provisioned throughput that a table or index may have in one UTC day
// before they must be an hour apart (Developer Guide, "Quotas").
const (
	freeDecreases   = 4
	decreaseSpacing = time.Hour
)

// decreasesOn is the number of decreases of the UTC day of now.
func decreasesOn(t partition.Throughput, now time.Time) int64 {
	if t.LastDecrease.UTC().Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		return 0
	}
	return t.DecreasesToday
}

// changeThroughput returns t with the requested units, keeping the books that
// DescribeTable shows, or LimitExceededException if it was lowered too often.
func (c *call) changeThroughput(t partition.Throughput, p *api.ProvisionedThroughput, now time.Time) (partition.Throughput, error) {
	read, write := p.ReadCapacityUnits.Value, p.WriteCapacityUnits.Value
	changed := t
	changed.Read, changed.Write = read, write
	if read > t.Read || write > t.Write {
		changed.LastIncrease = now
	}
	if read < t.Read || write < t.Write {
		today := decreasesOn(t, now)
		if !c.s.options.Local && today >= freeDecreases && now.Sub(t.LastDecrease) < decreaseSpacing {
			return t, limitExceeded(fmt.Sprintf(subscriberLimit+"Provisioned throughput decreases are limited within a given UTC day. After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. Number of decreases today: %d. Last decrease at %s",
				freeDecreases, int(decreaseSpacing.Seconds()), today, t.LastDecrease.UTC().Format("Monday, January 2, 2006 at 3:04:05 PM MST")))
		}
		changed.DecreasesToday, changed.LastDecrease = today+1, now
	}
	return changed, nil
}

// warmOf is what a table or index can serve at once: what was asked for, else what
// its billing mode starts with.
func warmOf(warm *partition.Warm, billing partition.BillingMode, t partition.Throughput) partition.Warm {
	w := partition.Warm{Read: t.Read, Write: t.Write}
	if billing == partition.PayPerRequest {
		w = partition.Warm{Read: onDemandWarmRead, Write: onDemandWarmWrite}
	}
	if warm != nil {
		w.Read, w.Write = max(w.Read, warm.Read), max(w.Write, warm.Write)
	}
	return w
}

// warmURL is where the service sends callers who ask for too little.
const warmURL = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html"

// newWarm checks the warm throughput of a new table or index against what it has
// anyway; index is empty for the table. Nil means nothing was asked for.
func newWarm(w *api.WarmThroughput, billing partition.BillingMode, t partition.Throughput, index string) (*partition.Warm, error) {
	if w == nil || !w.ReadUnitsPerSecond.Present && !w.WriteUnitsPerSecond.Present {
		return nil, nil
	}
	base := warmOf(nil, billing, t)
	for _, u := range []struct {
		member, capacity string
		asked            api.Optional[int64]
		base             int64
	}{
		{"ReadUnitsPerSecond", "ReadCapacityUnits", w.ReadUnitsPerSecond, base.Read},
		{"WriteUnitsPerSecond", "WriteCapacityUnits", w.WriteUnitsPerSecond, base.Write},
	} {
		if !u.asked.Present || u.asked.Value >= u.base {
			continue
		}
		tail := "initial throughput for OnDemand. See: " + warmURL
		if billing == partition.Provisioned {
			tail = u.capacity + " of ProvisionedThroughput"
		}
		return nil, invalid("Requested %s for WarmThroughput for %s is lower than %s", u.member, tableOrIndex(index), tail)
	}
	return &partition.Warm{Read: w.ReadUnitsPerSecond.Or(base.Read), Write: w.WriteUnitsPerSecond.Or(base.Write)}, nil
}

// raiseWarm checks and merges a change of warm throughput, which can only grow.
func raiseWarm(current partition.Warm, w *api.WarmThroughput, index string) (*partition.Warm, error) {
	for _, u := range []struct {
		member string
		asked  api.Optional[int64]
		now    int64
	}{
		{"ReadUnitsPerSecond", w.ReadUnitsPerSecond, current.Read},
		{"WriteUnitsPerSecond", w.WriteUnitsPerSecond, current.Write},
	} {
		if u.asked.Present && u.asked.Value < u.now {
			return nil, invalid("Requested %s for WarmThroughput for %s is lower than current WarmThroughput, decreasing WarmThroughput is not supported",
				u.member, tableOrIndex(index))
		}
	}
	return &partition.Warm{Read: w.ReadUnitsPerSecond.Or(current.Read), Write: w.WriteUnitsPerSecond.Or(current.Write)}, nil
}

// tableOrIndex names the subject of a message.
func tableOrIndex(index string) string {
	if index == "" {
		return "table"
	}
	return "index: " + index
}
