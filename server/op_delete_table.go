package server

import (
	"errors"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveDeleteTable serves DeleteTable; the order of checks is the service's.
func serveDeleteTable(c *call) error {
	var in api.DeleteTableInput
	if err := c.decode(&in); err != nil {
		return err
	}
	t, err := c.describedTable(in.TableName.Value)
	if err != nil {
		return err
	}
	if err := checkDeletable(t); err != nil {
		return err
	}
	d := c.describe(t) // counts are gone once the table is
	if _, err := c.s.db.DeleteTable(c.ctx, c.ns, t.Name); err != nil {
		if errors.Is(err, partition.ErrTableNotFound) {
			return tableNotFound(t.Name)
		}
		return err
	}
	return c.reply(&api.DeleteTableOutput{TableDescription: &api.TableDescription{
		TableName:                 d.TableName,
		TableArn:                  d.TableArn,
		TableId:                   d.TableId,
		TableStatus:               statusDeleting,
		ItemCount:                 d.ItemCount,
		TableSizeBytes:            d.TableSizeBytes,
		ProvisionedThroughput:     d.ProvisionedThroughput,
		BillingModeSummary:        d.BillingModeSummary,
		TableClassSummary:         d.TableClassSummary,
		DeletionProtectionEnabled: d.DeletionProtectionEnabled,
	}})
}

// checkDeletable reports a table in a state that does not admit deletion, then one
// that is protected.
func checkDeletable(t *partition.Table) error {
	switch t.Status {
	case partition.TableCreating:
		return resourceInUse(stillInUse + "Table is being created: " + t.Name)
	case partition.TableDeleting:
		return resourceInUse(stillInUse + "Table is being deleted: " + t.Name)
	}
	for _, ix := range t.Global {
		if ix.Status != partition.IndexActive {
			return resourceInUse(stillInUse + "Cannot delete table while indexes are being created, updated, or deleted.")
		}
	}
	if t.DeletionProtection {
		return validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	return nil
}
