package server

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// Values of the API shapes TableStatus and IndexStatus.
const (
	statusActive   = "ACTIVE"
	statusCreating = "CREATING"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
)

var tableStatuses = map[partition.TableStatus]string{
	partition.TableCreating: statusCreating,
	partition.TableActive:   statusActive,
	partition.TableUpdating: statusUpdating,
	partition.TableDeleting: statusDeleting,
}

var indexStatuses = map[partition.IndexStatus]string{
	partition.IndexCreating: statusCreating,
	partition.IndexActive:   statusActive,
	partition.IndexDeleting: statusDeleting,
}

// reply writes a response of the control plane. Hot operations append to c.out
// themselves.
func (c *call) reply(out any) error {
	body, err := json.Marshal(out)
	c.out = append(c.out, body...)
	return err
}

// describe is the TableDescription of a table as DescribeTable shows it.
func (c *call) describe(t *partition.Table) *api.TableDescription {
	stats := c.s.db.Stats(t)
	arn := c.tableARN(t.Name)
	warm := warmOf(t.Warm, t.Billing, t.Throughput)
	d := &api.TableDescription{
		TableName:                 t.Name,
		TableArn:                  arn,
		TableId:                   t.UUID,
		TableStatus:               c.tableStatus(t),
		CreationDateTime:          api.Timestamp(t.Created),
		AttributeDefinitions:      describeAttributes(t.Attributes),
		KeySchema:                 describeKey(t.Key),
		ItemCount:                 api.Some(stats.Items),
		TableSizeBytes:            api.Some(stats.Bytes),
		ProvisionedThroughput:     describeThroughput(t.Throughput, c.s.db.Now()),
		BillingModeSummary:        describeBilling(t),
		TableClassSummary:         describeClass(t),
		DeletionProtectionEnabled: api.Some(t.DeletionProtection),
		OnDemandThroughput:        describeOnDemand(t.OnDemand),
		WarmThroughput: &api.TableWarmThroughputDescription{
			ReadUnitsPerSecond: api.Some(warm.Read), WriteUnitsPerSecond: api.Some(warm.Write), Status: statusActive,
		},
	}
	if t.SSE != nil {
		d.SSEDescription = &api.SSEDescription{Status: "ENABLED", SSEType: "KMS", KMSMasterKeyArn: t.SSE.KeyARN}
	}
	if t.Stream != nil {
		d.StreamSpecification = &api.StreamSpecification{StreamEnabled: api.Some(true), StreamViewType: api.Some(t.Stream.ViewType)}
	}
	if t.LatestStreamLabel != "" {
		d.LatestStreamLabel = t.LatestStreamLabel
		d.LatestStreamArn = c.streamARN(t.Name, t.LatestStreamLabel)
	}
	for _, ix := range t.Local {
		d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, describeLocal(ix, arn, stats))
	}
	for _, ix := range t.Global {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, c.describeGlobal(t, ix, arn, stats))
	}
	return d
}

// tableStatus is the status as shown: DynamoDB Local's tables are never UPDATING.
func (c *call) tableStatus(t *partition.Table) string {
	if c.s.options.Local && t.Status == partition.TableUpdating {
		return statusActive
	}
	return tableStatuses[t.Status]
}

func describeAttributes(attributes []partition.KeyAttribute) []api.AttributeDefinition {
	out := make([]api.AttributeDefinition, len(attributes))
	for i, a := range attributes {
		out[i] = api.AttributeDefinition{AttributeName: api.Some(a.Name), AttributeType: api.Some(a.Type.String())}
	}
	return out
}

func describeKey(k partition.KeySchema) []api.KeySchemaElement {
	out := make([]api.KeySchemaElement, 0, len(k.Hash)+len(k.Range))
	for _, a := range k.Hash {
		out = append(out, api.KeySchemaElement{AttributeName: api.Some(a.Name), KeyType: api.Some(keyHash)})
	}
	for _, a := range k.Range {
		out = append(out, api.KeySchemaElement{AttributeName: api.Some(a.Name), KeyType: api.Some(keyRange)})
	}
	return out
}

func describeProjection(ix *partition.Index) *api.Projection {
	for name, kind := range projectionKinds {
		if kind == ix.Projection {
			return &api.Projection{ProjectionType: api.Some(name), NonKeyAttributes: ix.NonKey}
		}
	}
	return nil
}

func describeLocal(ix *partition.Index, tableARN string, stats partition.TableStats) api.LocalSecondaryIndexDescription {
	return api.LocalSecondaryIndexDescription{
		IndexName:      ix.Name,
		IndexArn:       tableARN + "/index/" + ix.Name,
		KeySchema:      describeKey(ix.Key),
		Projection:     describeProjection(ix),
		ItemCount:      api.Some(stats.Indexes[ix.ID].Items),
		IndexSizeBytes: api.Some(stats.Indexes[ix.ID].Bytes),
	}
}

func (c *call) describeGlobal(t *partition.Table, ix *partition.Index, tableARN string, stats partition.TableStats) api.GlobalSecondaryIndexDescription {
	units := unitsOf(ix.Throughput)
	warm := warmOf(ix.Warm, t.Billing, units)
	d := api.GlobalSecondaryIndexDescription{
		IndexName:             ix.Name,
		IndexArn:              tableARN + "/index/" + ix.Name,
		IndexStatus:           indexStatuses[ix.Status],
		KeySchema:             describeKey(ix.Key),
		Projection:            describeProjection(ix),
		ItemCount:             api.Some(stats.Indexes[ix.ID].Items),
		IndexSizeBytes:        api.Some(stats.Indexes[ix.ID].Bytes),
		ProvisionedThroughput: describeThroughput(units, c.s.db.Now()),
		OnDemandThroughput:    describeOnDemand(ix.OnDemand),
		WarmThroughput: &api.GlobalSecondaryIndexWarmThroughputDescription{
			ReadUnitsPerSecond: api.Some(warm.Read), WriteUnitsPerSecond: api.Some(warm.Write), Status: statusActive,
		},
	}
	if ix.Status == partition.IndexCreating || ix.Backfilling {
		d.Backfilling = api.Some(ix.Backfilling)
	}
	return d
}

func unitsOf(t *partition.Throughput) partition.Throughput {
	if t == nil {
		return partition.Throughput{}
	}
	return *t
}

func describeThroughput(t partition.Throughput, now time.Time) *api.ProvisionedThroughputDescription {
	return &api.ProvisionedThroughputDescription{
		LastIncreaseDateTime:   api.Timestamp(t.LastIncrease),
		LastDecreaseDateTime:   api.Timestamp(t.LastDecrease),
		NumberOfDecreasesToday: api.Some(decreasesOn(t, now)),
		ReadCapacityUnits:      api.Some(t.Read),
		WriteCapacityUnits:     api.Some(t.Write),
	}
}

// describeBilling is nil for a table that was always PROVISIONED.
func describeBilling(t *partition.Table) *api.BillingModeSummary {
	if !t.BillingSet {
		return nil
	}
	s := &api.BillingModeSummary{BillingMode: billingProvisioned, LastUpdateToPayPerRequestDateTime: api.Timestamp(t.BillingChanged)}
	if t.Billing == partition.PayPerRequest {
		s.BillingMode = billingPayPerRequest
	}
	if t.BillingChanged.IsZero() { // created this way
		s.LastUpdateToPayPerRequestDateTime = api.Timestamp(t.Created)
	}
	return s
}

// describeClass is nil for a table whose class was never set.
func describeClass(t *partition.Table) *api.TableClassSummary {
	if t.Class == "" {
		return nil
	}
	return &api.TableClassSummary{TableClass: t.Class, LastUpdateDateTime: api.Timestamp(t.ClassChanged)}
}

func describeOnDemand(o *partition.OnDemand) *api.OnDemandThroughput {
	if o == nil || *o == (partition.OnDemand{}) {
		return nil
	}
	return &api.OnDemandThroughput{
		MaxReadRequestUnits:  api.Optional[int64]{Value: o.MaxRead, Present: o.MaxRead != 0},
		MaxWriteRequestUnits: api.Optional[int64]{Value: o.MaxWrite, Present: o.MaxWrite != 0},
	}
}
