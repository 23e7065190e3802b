package server

import (
	"errors"
	"slices"
	"strings"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveCreateTable serves CreateTable; the order of checks is the service's.
func serveCreateTable(c *call) error {
	var in api.CreateTableInput
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := checkSupportedCreate(&in); err != nil {
		return err
	}
	spec, err := c.newTable(&in)
	if err != nil {
		return err
	}
	t, err := c.s.db.CreateTable(c.ctx, *spec)
	if errors.Is(err, partition.ErrTableExists) {
		return resourceInUse("Table already exists: " + spec.Name)
	}
	if err != nil {
		return err
	}
	return c.reply(&api.CreateTableOutput{TableDescription: c.describeNew(t, &in)})
}

// describeNew is the answer's view of a new table: being created, and without what
// the service only adds later.
func (c *call) describeNew(t *partition.Table, in *api.CreateTableInput) *api.TableDescription {
	d := c.describe(t)
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = api.Timestamp{}
	}
	if in.WarmThroughput == nil {
		d.WarmThroughput = nil
	}
	for i := range d.GlobalSecondaryIndexes {
		if in.GlobalSecondaryIndexes[i].WarmThroughput == nil {
			d.GlobalSecondaryIndexes[i].WarmThroughput = nil
		}
	}
	if c.s.options.Local {
		return d
	}
	d.TableStatus = statusCreating
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].IndexStatus = statusCreating
	}
	return d
}

// newTable checks a request whose members are valid one by one and builds the
// table that it asks for.
func (c *call) newTable(in *api.CreateTableInput) (*partition.Table, error) {
	t := &partition.Table{
		Namespace:          partition.Namespace{Account: strings.Clone(c.ns.Account), Region: strings.Clone(c.ns.Region)},
		Name:               in.TableName.Value,
		Billing:            partition.Provisioned,
		Throughput:         provisioned(in.ProvisionedThroughput),
		DeletionProtection: in.DeletionProtectionEnabled.Value,
		Class:              in.TableClass.Value,
	}
	if in.BillingMode.Value == billingPayPerRequest {
		t.Billing, t.BillingSet = partition.PayPerRequest, true
	}
	for _, check := range []func(*partition.Table, *api.CreateTableInput) error{
		newTableBilling, newTableKey, newTableLocalIndexes, c.newTableGlobalIndexes, newTableNames, c.newTableSettings,
	} {
		if err := check(t, in); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func newTableBilling(t *partition.Table, in *api.CreateTableInput) error {
	if t.Billing == partition.PayPerRequest && in.ProvisionedThroughput != nil {
		return invalid(neitherCapacity)
	}
	if err := checkBounds(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	if t.Billing == partition.Provisioned && in.ProvisionedThroughput == nil {
		return invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return nil
}

// newTableKey checks attribute definitions against all keys, then the table's key.
func newTableKey(t *partition.Table, in *api.CreateTableInput) error {
	defined := definitions(in.AttributeDefinitions)
	if err := defined.checkUnique(); err != nil {
		return err
	}
	if len(in.KeySchema) > len(defined) {
		return validation("Invalid KeySchema: Some index key attribute have no definition")
	}
	if err := defined.checkDefines(in.KeySchema); err != nil {
		return err
	}
	used := keyNames(in.KeySchema)
	for i := range in.LocalSecondaryIndexes {
		if err := defined.checkDefines(in.LocalSecondaryIndexes[i].KeySchema); err != nil {
			return err
		}
		used = append(used, keyNames(in.LocalSecondaryIndexes[i].KeySchema)...)
	}
	for i := range in.GlobalSecondaryIndexes {
		if err := defined.checkDefines(in.GlobalSecondaryIndexes[i].KeySchema); err != nil {
			return err
		}
		used = append(used, keyNames(in.GlobalSecondaryIndexes[i].KeySchema)...)
	}
	if err := checkNoneUnused(defined, used, in); err != nil {
		return err
	}
	if err := checkPair(in.KeySchema); err != nil {
		return err
	}
	for _, d := range defined {
		kind, _ := item.ParseType(d.AttributeType.Value)
		t.Attributes = append(t.Attributes, partition.KeyAttribute{Name: d.AttributeName.Value, Type: kind})
	}
	slices.SortFunc(t.Attributes, func(a, b partition.KeyAttribute) int { return strings.Compare(a.Name, b.Name) })
	t.Key = keySchema(in.KeySchema, declared(t.Attributes))
	return nil
}

// checkNoneUnused reports definitions that no key uses.
func checkNoneUnused(defined definitions, used []string, in *api.CreateTableInput) error {
	if in.LocalSecondaryIndexes == nil && in.GlobalSecondaryIndexes == nil {
		if len(defined) != len(in.KeySchema) {
			return invalid("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
		return nil
	}
	names := defined.names()
	if used = distinct(used); len(used) == len(names) {
		return nil
	}
	return invalid("Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s",
		bracketed(javaSet(names, javaSizeFor(len(names)))), bracketed(javaSet(used, javaDefaultSize)))
}

func newTableLocalIndexes(t *partition.Table, in *api.CreateTableInput) error {
	if in.LocalSecondaryIndexes == nil {
		return nil
	}
	if len(in.LocalSecondaryIndexes) == 0 {
		return invalid("List of LocalSecondaryIndexes is empty")
	}
	if len(in.KeySchema) < 2 {
		return invalid("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	names := make([]string, 0, len(in.LocalSecondaryIndexes))
	for i := range in.LocalSecondaryIndexes {
		ix := &in.LocalSecondaryIndexes[i]
		name := ix.IndexName.Value
		if err := checkPair(ix.KeySchema); err != nil {
			return err
		}
		if len(ix.KeySchema) < 2 {
			return invalid("Index KeySchema does not have a range key for index: %s", name)
		}
		if got, want := ix.KeySchema[0].AttributeName.Value, in.KeySchema[0].AttributeName.Value; got != want {
			return invalid("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
				name, got, want)
		}
		if err := checkProjection(ix.Projection); err != nil {
			return err
		}
		if slices.Contains(names, name) {
			return invalid("Duplicate index name: %s", name)
		}
		names = append(names, name)
		local := newIndex(name, keySchema(ix.KeySchema, declared(t.Attributes)), ix.Projection)
		local.Local = true
		t.Local = append(t.Local, local)
	}
	if len(names) > maxLocalIndexes {
		return invalid("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	}
	return nil
}

func (c *call) newTableGlobalIndexes(t *partition.Table, in *api.CreateTableInput) error {
	if in.GlobalSecondaryIndexes == nil {
		return nil
	}
	if len(in.GlobalSecondaryIndexes) == 0 {
		return invalid("List of GlobalSecondaryIndexes is empty")
	}
	for i := range in.GlobalSecondaryIndexes {
		def := &in.GlobalSecondaryIndexes[i]
		if err := checkGlobalKey(def.KeySchema); err != nil {
			return err
		}
		if err := checkProjection(def.Projection); err != nil {
			return err
		}
		ix := newIndex(def.IndexName.Value, keySchema(def.KeySchema, declared(t.Attributes)), def.Projection)
		missing := "ProvisionedThroughput is not specified for index: %s"
		if err := c.indexThroughput(t, ix, def.ProvisionedThroughput, missing); err != nil {
			return err
		}
		if err := c.indexLimits(t, ix, def.OnDemandThroughput, def.WarmThroughput); err != nil {
			return err
		}
		t.Global = append(t.Global, ix)
	}
	return nil
}

// indexThroughput gives a new global index its provisioned capacity, or its absence
// the message missing.
func (c *call) indexThroughput(t *partition.Table, ix *partition.Index, p *api.ProvisionedThroughput, missing string) error {
	switch {
	case t.Billing == partition.PayPerRequest && p != nil:
		return invalid("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", ix.Name)
	case t.Billing == partition.Provisioned && p == nil:
		return invalid(missing, ix.Name)
	}
	if err := checkBounds(p, ix.Name); err != nil {
		return err
	}
	if p != nil {
		units := provisioned(p)
		ix.Throughput = &units
	}
	return nil
}

// indexLimits gives a new global index its caps and its warm throughput.
func (c *call) indexLimits(t *partition.Table, ix *partition.Index, o *api.OnDemandThroughput, w *api.WarmThroughput) (err error) {
	if ix.OnDemand, err = c.newOnDemand(o, t.Billing, ix.Name); err != nil {
		return err
	}
	ix.Warm, err = newWarm(w, t.Billing, unitsOf(ix.Throughput), ix.Name)
	return err
}

// newTableNames checks index names across both kinds and the counts of the whole.
func newTableNames(t *partition.Table, in *api.CreateTableInput) error {
	names := make([]string, 0, len(t.Local)+len(t.Global))
	projected := 0
	for _, list := range [][]*partition.Index{t.Local, t.Global} {
		for _, ix := range list {
			if slices.Contains(names, ix.Name) {
				return invalid("Duplicate index name: %s", ix.Name)
			}
			names = append(names, ix.Name)
			projected += len(ix.NonKey)
		}
	}
	if len(t.Global) > maxGlobalIndexes {
		return invalid("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	if projected > maxProjectedInTable {
		return invalid("Number of projected NonKeyAttributes over all indexes exceeds the per-table limit of %d", maxProjectedInTable)
	}
	return nil
}

// newTableSettings checks and takes over everything that is not schema.
func (c *call) newTableSettings(t *partition.Table, in *api.CreateTableInput) (err error) {
	if err := checkNewStream(in.StreamSpecification); err != nil {
		return err
	}
	if s := in.StreamSpecification; s != nil && s.StreamEnabled.Value {
		t.Stream = &partition.StreamSpec{ViewType: s.StreamViewType.Value}
	}
	if in.SSESpecification != nil {
		if err := checkSSE(in.SSESpecification); err != nil {
			return err
		}
		t.SSE = c.encryption(in.SSESpecification)
	}
	if t.OnDemand, err = c.newOnDemand(in.OnDemandThroughput, t.Billing, ""); err != nil {
		return err
	}
	if t.Warm, err = newWarm(in.WarmThroughput, t.Billing, t.Throughput, ""); err != nil {
		return err
	}
	if t.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return err
	}
	if err := c.checkQuota(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	for i := range in.GlobalSecondaryIndexes {
		ix := &in.GlobalSecondaryIndexes[i]
		if err := c.checkQuota(ix.ProvisionedThroughput, ix.IndexName.Value); err != nil {
			return err
		}
	}
	return nil
}
