package server

import (
	"errors"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// ttlInterval is how long a table's time to live cannot be changed after a change:
// as measured on the service, whose documentation says an hour.
const ttlInterval = 30 * time.Minute

// serveUpdateTimeToLive serves UpdateTimeToLive; the order of checks is the
// service's. A change takes effect at once, as observed on the service.
func serveUpdateTimeToLive(c *call) error {
	var in api.UpdateTimeToLiveInput
	if err := c.decode(&in); err != nil {
		return err
	}
	name, err := c.tableName(in.TableName.Value)
	if err != nil {
		return err
	}
	spec := in.TimeToLiveSpecification
	_, err = c.s.db.UpdateTable(c.ctx, c.ns, name, func(t *partition.Table) error { return c.changeTTL(t, spec) })
	if errors.Is(err, partition.ErrTableNotFound) {
		c.logMissing(name)
		return tableNotFound(name)
	}
	if err != nil {
		return err
	}
	return c.reply(&api.UpdateTimeToLiveOutput{TimeToLiveSpecification: spec})
}

// changeTTL is the change for partition.UpdateTable.
//
// DynamoDB Local lets the setting change as often as one likes, and so does its
// mode here. Elsewhere a test that changes it twice advances the clock in between.
func (c *call) changeTTL(t *partition.Table, spec *api.TimeToLiveSpecification) error {
	enabled := t.TTL != nil && t.TTL.Enabled
	now := c.s.db.Now()
	switch {
	case t.Status == partition.TableCreating:
		return tableNotFound(t.Name)
	case t.Status == partition.TableDeleting:
		return resourceInUse(stillInUse + "Table is being deleted: " + t.Name)
	case enabled && spec.AttributeName.Value != t.TTL.Attribute:
		return validation("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.TTL.Attribute)
	case enabled && spec.Enabled.Value:
		return validationText("TimeToLive is already enabled")
	case !enabled && !spec.Enabled.Value:
		return validationText("TimeToLive is already disabled")
	case t.TTL != nil && now.Sub(t.TTL.Changed) < ttlInterval && !c.s.options.Local:
		return validationText("Time to live has been modified multiple times within a fixed interval")
	}
	t.TTL = &partition.TTLSpec{Enabled: spec.Enabled.Value, Attribute: spec.AttributeName.Value, Changed: now}
	return nil
}
