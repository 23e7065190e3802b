package server

import (
	"fmt"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// changeIndexes applies GlobalSecondaryIndexUpdates.
func (u *tableUpdate) changeIndexes(t *partition.Table) error {
	for i := range u.in.GlobalSecondaryIndexUpdates {
		up := &u.in.GlobalSecondaryIndexUpdates[i]
		var err error
		switch {
		case up.Create != nil:
			err = u.createIndex(t, up.Create)
		case up.Delete != nil:
			err = u.deleteIndex(t, up.Delete.IndexName.Value)
		default:
			err = u.updateIndex(t, up.Update)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createIndex adds an index, which partition builds in the background.
func (u *tableUpdate) createIndex(t *partition.Table, def *api.CreateGlobalSecondaryIndexAction) error {
	name := def.IndexName.Value
	if findIndex(t, name) != nil {
		return validation("Attempting to create an index which already exists")
	}
	if err := checkNoneOnline(t); err != nil {
		return err
	}
	if u.in.AttributeDefinitions == nil {
		return invalid("AttributeDefinitions is not specified for index: %s", name)
	}
	defined := definitions(u.in.AttributeDefinitions)
	if err := defined.checkDefines(def.KeySchema); err != nil {
		return err
	}
	if err := checkGlobalKey(def.KeySchema); err != nil {
		return err
	}
	if err := checkProjection(def.Projection); err != nil {
		return err
	}
	if len(t.Global) >= maxGlobalIndexes {
		return limitExceeded(fmt.Sprintf(subscriberLimit+"Number of global secondary indexes exceeds per-table limit of %d", maxGlobalIndexes))
	}
	u.defineAttributes(t, def.KeySchema)
	ix := newIndex(name, keySchema(def.KeySchema, declared(t.Attributes)), def.Projection)
	if err := u.call.indexThroughput(t, ix, def.ProvisionedThroughput, "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s"); err != nil {
		return err
	}
	if err := u.call.indexLimits(t, ix, def.OnDemandThroughput, def.WarmThroughput); err != nil {
		return err
	}
	if err := u.call.checkQuota(def.ProvisionedThroughput, name); err != nil {
		return err
	}
	t.Global = append(t.Global, ix)
	u.updating = true
	return nil
}

// defineAttributes adds the definitions that a new index needs. Those the table
// already has keep their types, those that nothing needs are dropped.
func (u *tableUpdate) defineAttributes(t *partition.Table, key []api.KeySchemaElement) {
	defined := definitions(u.in.AttributeDefinitions)
	for _, name := range keyNames(key) {
		known := slices.ContainsFunc(t.Attributes, func(a partition.KeyAttribute) bool { return a.Name == name })
		if kind, ok := defined.typeOf(name); ok && !known {
			t.Attributes = append(t.Attributes, partition.KeyAttribute{Name: name, Type: kind})
		}
	}
}

// checkNoneOnline reports an index that is being built or removed: there can be one.
func checkNoneOnline(t *partition.Table) error {
	for _, ix := range t.Global {
		if ix.Status != partition.IndexActive {
			return oneOnlineIndex()
		}
	}
	return nil
}

// findIndex looks in the lists themselves: partition.Table.Index does not see what a
// change under way did to them.
func findIndex(t *partition.Table, name string) *partition.Index {
	for _, list := range [][]*partition.Index{t.Local, t.Global} {
		for _, ix := range list {
			if ix.Name == name {
				return ix
			}
		}
	}
	return nil
}

// globalIndex finds an index to be deleted or updated (verb).
func globalIndex(t *partition.Table, name, verb string) (*partition.Index, error) {
	ix := findIndex(t, name)
	switch {
	case ix == nil:
		return nil, resourceNotFoundDetail("Index %s for table %s", name, t.Name)
	case ix.Local:
		return nil, validation("Cannot %s an index that is not a GlobalSecondaryIndex: %s", verb, name)
	case ix.Status == partition.IndexDeleting:
		return nil, resourceInUse(stillInUse + "Index is being deleted. Table: " + t.Name + " Index: " + name)
	}
	return ix, nil
}

// deleteIndex marks an index for partition to remove in the background.
func (u *tableUpdate) deleteIndex(t *partition.Table, name string) error {
	ix, err := globalIndex(t, name, "delete")
	if err != nil {
		return err
	}
	if ix.Status == partition.IndexCreating {
		if !ix.Backfilling {
			return resourceInUse(stillInUse + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is active. Table: " + t.Name + " Index: " + name)
		}
	} else if err := checkNoneOnline(t); err != nil {
		return err
	}
	ix.Status = partition.IndexDeleting
	u.updating = true
	return nil
}

// updateIndex changes capacity, caps or warm throughput of an index.
func (u *tableUpdate) updateIndex(t *partition.Table, def *api.UpdateGlobalSecondaryIndexAction) error {
	name := def.IndexName.Value
	ix, err := globalIndex(t, name, "update")
	if err != nil {
		return err
	}
	if ix.Status == partition.IndexCreating && !ix.Backfilling {
		return resourceInUse(stillInUse + "Index is being created but is not backfilling yet. Table: " + t.Name + " Index: " + name)
	}
	onlyName := def.ProvisionedThroughput == nil && def.OnDemandThroughput == nil && def.WarmThroughput == nil
	switch {
	case t.Billing == partition.PayPerRequest && (onlyName || def.ProvisionedThroughput != nil):
		return invalid("The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput", name)
	case onlyName:
		return invalid("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", name)
	}
	if err := u.changeIndexCapacity(t, ix, def.ProvisionedThroughput); err != nil {
		return err
	}
	if def.OnDemandThroughput != nil {
		if ix.OnDemand, err = u.call.changeOnDemand(ix.OnDemand, def.OnDemandThroughput, t.Billing, name); err != nil {
			return err
		}
		u.updating = true
	}
	if def.WarmThroughput != nil {
		ix.Warm, err = raiseWarm(warmOf(ix.Warm, t.Billing, unitsOf(ix.Throughput)), def.WarmThroughput, name)
	}
	return err
}

// changeIndexCapacity sets the provisioned capacity of an index.
func (u *tableUpdate) changeIndexCapacity(t *partition.Table, ix *partition.Index, p *api.ProvisionedThroughput) error {
	if p == nil {
		return nil
	}
	before := unitsOf(ix.Throughput)
	if sameUnits(before, p) {
		return validation("The provisioned throughput for the index %s will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for index %s: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for index %s: %d. Requested WriteCapacityUnits: %d. %s",
			ix.Name, ix.Name, before.Read, p.ReadCapacityUnits.Value, ix.Name, before.Write, p.WriteCapacityUnits.Value, seeLimits)
	}
	if err := u.call.checkQuota(p, ix.Name); err != nil {
		return err
	}
	changed, err := u.call.changeThroughput(before, p, u.now)
	if err != nil {
		return err
	}
	warm := warmOf(ix.Warm, t.Billing, before)
	ix.Warm, ix.Throughput = &warm, &changed
	u.indexes[ix.Name] = before
	u.updating = true
	return nil
}
