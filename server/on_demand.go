package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// onDemandMembers are the members of OnDemandThroughput in the order of checks.
func onDemandMembers(o *api.OnDemandThroughput) []onDemandMember {
	return []onDemandMember{
		{"MaxReadRequestUnits", "TableMaxReadCapacityUnits", o.MaxReadRequestUnits},
		{"MaxWriteRequestUnits", "TableMaxWriteCapacityUnits", o.MaxWriteRequestUnits},
	}
}

type onDemandMember struct {
	name  string
	quota string // the member of DescribeLimits that bounds it
	value api.Optional[int64]
}

// newOnDemand checks the caps of a new table or index (not empty). Nil means that
// none was asked for.
func (c *call) newOnDemand(o *api.OnDemandThroughput, billing partition.BillingMode, index string) (*partition.OnDemand, error) {
	if o == nil || !o.MaxReadRequestUnits.Present && !o.MaxWriteRequestUnits.Present {
		return nil, nil
	}
	for _, m := range onDemandMembers(o) {
		switch {
		case !m.value.Present:
		case billing == partition.Provisioned && index != "":
			return nil, invalid("%s for OnDemandThroughput for index: %s cannot be specified when table BillingMode is PROVISIONED.", m.name, index)
		case billing == partition.Provisioned:
			return nil, invalid("%s for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.", m.name)
		case m.value.Value < 1:
			return nil, onDemandOutOfRange(m.name, index)
		case m.value.Value > tableMaxUnits:
			return nil, c.onDemandOverQuota(m, index)
		}
	}
	return &partition.OnDemand{MaxRead: o.MaxReadRequestUnits.Value, MaxWrite: o.MaxWriteRequestUnits.Value}, nil
}

// changeOnDemand checks and merges a change of the caps of a table or index; -1
// clears one.
func (c *call) changeOnDemand(current *partition.OnDemand, o *api.OnDemandThroughput, billing partition.BillingMode, index string) (*partition.OnDemand, error) {
	var merged partition.OnDemand
	if current != nil {
		merged = *current
	}
	for _, m := range onDemandMembers(o) {
		switch {
		case !m.value.Present:
			continue
		case billing == partition.Provisioned:
			return nil, invalid("%s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED", m.name)
		case m.value.Value == 0 || m.value.Value < -1:
			return nil, onDemandOutOfRange(m.name, index)
		case m.value.Value > tableMaxUnits:
			return nil, c.onDemandOverQuota(m, index)
		}
		if m.name == "MaxReadRequestUnits" {
			merged.MaxRead = m.value.Value
		} else {
			merged.MaxWrite = m.value.Value
		}
	}
	return &merged, nil
}

func onDemandOutOfRange(member, index string) error {
	if index != "" {
		return invalid("Requested %s for OnDemandThroughput for index : %s is outside of valid range", member, index)
	}
	return invalid("Requested %s for OnDemandThroughput for table is outside of valid range", member)
}

func (c *call) onDemandOverQuota(m onDemandMember, index string) error {
	return limitExceeded(subscriberLimit + "Requested " + m.name + " for OnDemandThroughput for " + tableOrIndex(index) +
		" exceeds " + m.quota + " of the account in region " + c.arnRegion())
}
