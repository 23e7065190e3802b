package server

import (
	"errors"
	"net/http"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveUpdateTable serves UpdateTable; the order of checks is the service's. All
// checks that need the table run inside the change, so that two requests at once
// cannot both pass them.
func serveUpdateTable(c *call) error {
	var in api.UpdateTableInput
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := checkUpdateRequest(&in); err != nil {
		return err
	}
	name, err := c.tableName(in.TableName.Value)
	if err != nil {
		return err
	}
	u := tableUpdate{call: c, in: &in}
	after, err := c.s.db.UpdateTable(c.ctx, c.ns, name, u.apply)
	if errors.Is(err, partition.ErrTableNotFound) {
		c.logMissing(name)
		return tableNotFound(name)
	}
	if err != nil {
		return err
	}
	return c.reply(&api.UpdateTableOutput{TableDescription: u.describe(after)})
}

// checkUpdateRequest checks what needs no table: that there is something to do, and
// that its parts go together.
func checkUpdateRequest(in *api.UpdateTableInput) error {
	if err := checkSupportedUpdate(in); err != nil {
		return err
	}
	if err := checkNotEmpty(in); err != nil {
		return err
	}
	if in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0 {
		return invalid("List of GlobalSecondaryIndexUpdates is empty")
	}
	if err := checkIndexUpdates(in.GlobalSecondaryIndexUpdates); err != nil {
		return err
	}
	if in.BillingMode.Value == billingPayPerRequest && in.ProvisionedThroughput != nil {
		return invalid(neitherCapacity)
	}
	if err := checkBounds(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	for i := range in.GlobalSecondaryIndexUpdates {
		up := &in.GlobalSecondaryIndexUpdates[i]
		if up.Update != nil {
			if err := checkBounds(up.Update.ProvisionedThroughput, up.Update.IndexName.Value); err != nil {
				return err
			}
		}
	}
	return checkCombination(in)
}

const emptyUpdate = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"

// errInternalFailure is what the service says to a setting that is present and empty.
var errInternalFailure = &apiError{Status: http.StatusInternalServerError, Type: coralPrefix + "InternalFailure"}

func checkNotEmpty(in *api.UpdateTableInput) error {
	changes := in.ProvisionedThroughput != nil || in.BillingMode.Present || in.StreamSpecification != nil ||
		len(in.GlobalSecondaryIndexUpdates) > 0 || in.SSESpecification != nil || in.DeletionProtectionEnabled.Present ||
		in.TableClass.Present
	if changes {
		return nil
	}
	if in.OnDemandThroughput == nil && in.WarmThroughput == nil {
		return validationText(emptyUpdate)
	}
	if emptyOnDemand(in.OnDemandThroughput) && emptyWarm(in.WarmThroughput) {
		return errInternalFailure
	}
	return nil
}

func emptyOnDemand(o *api.OnDemandThroughput) bool {
	return o == nil || !o.MaxReadRequestUnits.Present && !o.MaxWriteRequestUnits.Present
}

func emptyWarm(w *api.WarmThroughput) bool {
	return w == nil || !w.ReadUnitsPerSecond.Present && !w.WriteUnitsPerSecond.Present
}

// indexAction is the name of the index that an entry of GlobalSecondaryIndexUpdates
// is about, and whether it creates or deletes it.
func indexAction(u *api.GlobalSecondaryIndexUpdate) (name string, online bool) {
	switch {
	case u.Create != nil:
		return u.Create.IndexName.Value, true
	case u.Delete != nil:
		return u.Delete.IndexName.Value, true
	}
	return u.Update.IndexName.Value, false
}

func checkIndexUpdates(updates []api.GlobalSecondaryIndexUpdate) error {
	var names []string
	online := 0
	for i := range updates {
		u := &updates[i]
		actions := 0
		for _, present := range []bool{u.Update != nil, u.Create != nil, u.Delete != nil} {
			if present {
				actions++
			}
		}
		switch {
		case actions == 0:
			return invalid("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		case actions > 1:
			return invalid("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		}
		name, isOnline := indexAction(u)
		if slices.Contains(names, name) {
			return invalid("Only one global secondary index update per index is allowed simultaneously. Index: %s", name)
		}
		names = append(names, name)
		if isOnline {
			online++
		}
		if u.Update != nil && u.Update.WarmThroughput != nil && emptyWarm(u.Update.WarmThroughput) {
			return invalid("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: %s", name)
		}
	}
	if online > 1 {
		return oneOnlineIndex()
	}
	return nil
}

func oneOnlineIndex() error {
	return limitExceeded(subscriberLimit + "Only 1 online index can be created or deleted simultaneously per table")
}

// checkCombination reports changes that one request must not combine (control plane
// rules of UpdateTable: one logical change a call).
func checkCombination(in *api.UpdateTableInput) error {
	creates, deletes := false, false
	for i := range in.GlobalSecondaryIndexUpdates {
		creates = creates || in.GlobalSecondaryIndexUpdates[i].Create != nil
		deletes = deletes || in.GlobalSecondaryIndexUpdates[i].Delete != nil
	}
	parts := []bool{
		in.SSESpecification != nil, in.TableClass.Present, in.DeletionProtectionEnabled.Present, in.WarmThroughput != nil,
		in.OnDemandThroughput != nil, in.ProvisionedThroughput != nil, in.BillingMode.Present,
		in.StreamSpecification != nil, len(in.GlobalSecondaryIndexUpdates) > 0,
	}
	several := 0
	for _, present := range parts {
		if present {
			several++
		}
	}
	iops := in.ProvisionedThroughput != nil || in.BillingMode.Value == billingProvisioned
	switch {
	case several > 1 && in.SSESpecification != nil:
		return invalid("Server-Side Encryption modification must be the only operation in the request")
	case several > 1 && in.TableClass.Present:
		return invalid("TableClass modification must be the only operation in the request")
	case several > 1 && in.DeletionProtectionEnabled.Present:
		return invalid("DeletionProtection modification must be the only operation in the request")
	case creates && in.WarmThroughput != nil:
		return invalid("Create global secondary index cannot be specified when updating WarmThroughput")
	case several > 1 && in.WarmThroughput != nil:
		return invalid("WarmThroughput must be the only operation in the request")
	case in.OnDemandThroughput != nil && (several > 2 || several == 2 && !in.BillingMode.Present):
		return invalid("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case in.StreamSpecification != nil && iops:
		return invalid("You cannot modify stream status while updating table IOPS")
	case (creates || deletes) && in.ProvisionedThroughput != nil:
		return invalid("You cannot create or delete index while updating table IOPS")
	case (creates || deletes) && in.StreamSpecification != nil:
		return invalid("You cannot create or delete index while changing stream status")
	}
	return nil
}
