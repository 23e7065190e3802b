package server

import (
	"slices"
	"strings"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// A tableUpdate applies one UpdateTable request to a table and remembers what its
// answer needs: the service describes the table as the change begins, with the old
// capacity and status UPDATING.
type tableUpdate struct {
	call *call
	in   *api.UpdateTableInput

	now        time.Time
	throughput partition.Throughput            // of the table before the change
	indexes    map[string]partition.Throughput // changed capacity of indexes before the change
	updating   bool                            // the table passes through UPDATING
}

// apply is the change for partition.UpdateTable. Nothing is applied if a part of it
// is refused.
func (u *tableUpdate) apply(t *partition.Table) error {
	u.now = u.call.s.db.Now()
	u.throughput = t.Throughput
	u.indexes = make(map[string]partition.Throughput)
	for _, part := range []func(*partition.Table) error{
		u.checkState, u.changeBilling, u.changeCapacity, u.changeIndexes, u.changeCaps, u.changeWarm,
		u.changeStream, u.changeEncryption, u.changeClass,
	} {
		if err := part(t); err != nil {
			return err
		}
	}
	if p := u.in.DeletionProtectionEnabled; p.Present {
		t.DeletionProtection = p.Value
	}
	return nil
}

// checkState reports a table that another change keeps busy.
func (u *tableUpdate) checkState(t *partition.Table) error {
	switch t.Status {
	case partition.TableCreating:
		return resourceInUse(stillInUse + "Table is being created: " + t.Name)
	case partition.TableDeleting:
		return resourceInUse(stillInUse + "Table is being deleted: " + t.Name)
	case partition.TableActive:
		return nil
	}
	if u.in.ProvisionedThroughput == nil && !u.in.BillingMode.Present {
		return nil
	}
	for _, ix := range t.Global {
		switch ix.Status {
		case partition.IndexCreating:
			return resourceInUse(stillInUse + "Can't change table IOPS when an index is being created. Table: " + t.Name + " Indexes: [" + ix.Name + "]")
		case partition.IndexDeleting:
			return resourceInUse(stillInUse + "Can't change table IOPS when an index is being deleted. Table: " + t.Name + " Indexes: [" + ix.Name + "]")
		}
	}
	return nil
}

// changeBilling switches between billing modes. A switch to PROVISIONED needs the
// capacity of the table and of every index.
func (u *tableUpdate) changeBilling(t *partition.Table) error {
	mode := u.in.BillingMode
	if u.in.ProvisionedThroughput != nil && t.Billing == partition.PayPerRequest && !mode.Present {
		return invalid(neitherCapacity)
	}
	switch {
	case !mode.Present:
		return nil
	case mode.Value == billingPayPerRequest:
		if t.Billing == partition.PayPerRequest {
			return nil
		}
		keepWarm(t)
		t.Billing, t.BillingSet, t.BillingChanged = partition.PayPerRequest, true, u.now
		t.Throughput.Read, t.Throughput.Write = 0, 0
		for _, ix := range t.Global {
			ix.Throughput = nil
		}
		u.updating = true
		return nil
	case u.in.ProvisionedThroughput == nil:
		return invalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	case t.Billing == partition.Provisioned:
		return nil
	}
	if missing := u.indexesWithoutCapacity(t); len(missing) > 0 {
		return invalid("ProvisionedThroughput must be specified for index: %s", strings.Join(missing, ","))
	}
	if t.BillingChanged.IsZero() && t.BillingSet {
		t.BillingChanged = t.Created
	}
	keepWarm(t)
	t.Billing, t.BillingSet, t.OnDemand = partition.Provisioned, true, nil
	for _, ix := range t.Global {
		ix.OnDemand = nil
	}
	u.updating = true
	return nil
}

// keepWarm writes down what table and indexes can serve at once before what it
// follows from changes: warm throughput never shrinks.
func keepWarm(t *partition.Table) {
	warm := warmOf(t.Warm, t.Billing, t.Throughput)
	t.Warm = &warm
	for _, ix := range t.Global {
		warm := warmOf(ix.Warm, t.Billing, unitsOf(ix.Throughput))
		ix.Warm = &warm
	}
}

// indexesWithoutCapacity lists the indexes that the request gives no capacity to.
func (u *tableUpdate) indexesWithoutCapacity(t *partition.Table) []string {
	var missing []string
	for _, ix := range t.Global {
		given := slices.ContainsFunc(u.in.GlobalSecondaryIndexUpdates, func(up api.GlobalSecondaryIndexUpdate) bool {
			return up.Update != nil && up.Update.IndexName.Value == ix.Name && up.Update.ProvisionedThroughput != nil
		})
		if !given {
			missing = append(missing, ix.Name)
		}
	}
	return missing
}

// changeCapacity sets the provisioned capacity of the table.
func (u *tableUpdate) changeCapacity(t *partition.Table) error {
	p := u.in.ProvisionedThroughput
	if p == nil {
		return nil
	}
	if sameUnits(t.Throughput, p) {
		return validation("The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. %s",
			t.Throughput.Read, p.ReadCapacityUnits.Value, t.Throughput.Write, p.WriteCapacityUnits.Value, seeLimits)
	}
	if err := u.call.checkQuota(p, ""); err != nil {
		return err
	}
	keepWarm(t)
	changed, err := u.call.changeThroughput(t.Throughput, p, u.now)
	t.Throughput, u.updating = changed, true
	return err
}

// changeCaps sets the caps of an on-demand table.
func (u *tableUpdate) changeCaps(t *partition.Table) (err error) {
	if u.in.OnDemandThroughput == nil {
		return nil
	}
	t.OnDemand, err = u.call.changeOnDemand(t.OnDemand, u.in.OnDemandThroughput, t.Billing, "")
	u.updating = true
	return err
}

// changeWarm raises what the table can serve at once. The table stays ACTIVE.
func (u *tableUpdate) changeWarm(t *partition.Table) (err error) {
	if u.in.WarmThroughput == nil {
		return nil
	}
	t.Warm, err = raiseWarm(warmOf(t.Warm, t.Billing, t.Throughput), u.in.WarmThroughput, "")
	return err
}

// changeStream turns the stream on or off. The label of the latest stream stays.
func (u *tableUpdate) changeStream(t *partition.Table) error {
	s := u.in.StreamSpecification
	if s == nil {
		return nil
	}
	switch {
	case s.StreamEnabled.Value && !s.StreamViewType.Present:
		return invalid("If stream is being enabled then UpdateViewType is required")
	case !s.StreamEnabled.Value && s.StreamViewType.Present:
		return invalid("If stream is being disabled, then UpdateViewType must not be specified")
	case s.StreamEnabled.Value && t.Stream != nil:
		return validation("Table already has an enabled stream: TableName: %s", t.Name)
	case !s.StreamEnabled.Value && t.Stream == nil:
		return validation("Table has no stream to disable: TableName: %s", t.Name)
	}
	u.updating = true
	if !s.StreamEnabled.Value {
		t.Stream = nil
		return nil
	}
	t.Stream = &partition.StreamSpec{ViewType: s.StreamViewType.Value}
	return nil
}

// changeEncryption records the key the table is to be encrypted with. The table
// stays ACTIVE.
func (u *tableUpdate) changeEncryption(t *partition.Table) error {
	s := u.in.SSESpecification
	if s == nil {
		return nil
	}
	if err := checkSSE(s); err != nil {
		return err
	}
	wanted := u.call.encryption(s)
	switch {
	case wanted == nil && t.SSE == nil:
		return invalid("Table is already encrypted by default")
	case wanted != nil && t.SSE != nil && *wanted == *t.SSE && !isKeyAlias(s.KMSMasterKeyId):
		return invalid("Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
	}
	t.SSE = wanted
	return nil
}

// isKeyAlias reports a key that is not given by ARN: naming it again encrypts again.
func isKeyAlias(key api.Optional[string]) bool {
	return key.Present && !strings.HasPrefix(key.Value, "arn:")
}

// changeClass sets the table class; STANDARD is what a table without one has.
func (u *tableUpdate) changeClass(t *partition.Table) error {
	class := u.in.TableClass
	if !class.Present || class.Value == t.Class || class.Value == "STANDARD" && t.Class == "" {
		return nil
	}
	t.Class, t.ClassChanged, u.updating = class.Value, u.now, true
	return nil
}

// describe is the answer to the request; t is the table after the change.
func (u *tableUpdate) describe(t *partition.Table) *api.TableDescription {
	c := u.call
	d := c.describe(t)
	if c.s.options.Local {
		return d
	}
	if u.updating {
		d.TableStatus = statusUpdating
	}
	d.ProvisionedThroughput = describeThroughput(u.throughput, u.now)
	for i := range d.GlobalSecondaryIndexes {
		ix := &d.GlobalSecondaryIndexes[i]
		if before, changed := u.indexes[ix.IndexName]; changed {
			ix.IndexStatus = statusUpdating
			ix.ProvisionedThroughput = describeThroughput(before, u.now)
		}
	}
	if u.in.WarmThroughput != nil {
		d.WarmThroughput.Status = statusUpdating
	}
	if u.in.SSESpecification != nil && d.SSEDescription != nil {
		d.SSEDescription.Status = statusUpdating
	}
	return d
}
