package server

import (
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// checkNewStream checks the stream of a table to be created.
func checkNewStream(s *api.StreamSpecification) error {
	switch {
	case s == nil:
		return nil
	case s.StreamEnabled.Value && !s.StreamViewType.Present:
		return invalid("Table is being created with a stream enabled, UpdateViewType is required")
	case !s.StreamEnabled.Value && s.StreamViewType.Present:
		return invalid("Table is being created with a stream disabled, UpdateViewType should not be specified")
	}
	return nil
}

// defaultKey is the KMS key of tables that ask for KMS without naming a key.
const defaultKey = "alias/aws/dynamodb"

// checkSSE checks an encryption setting in itself.
func checkSSE(s *api.SSESpecification) error {
	disabled := s.Enabled.Present && !s.Enabled.Value
	switch {
	case disabled && s.SSEType.Present:
		return invalid("SSEType can not be specified if Enabled is false")
	case disabled && s.KMSMasterKeyId.Present:
		return invalid("KMSMasterKeyId can not be specified if Enabled is false")
	case s.SSEType.Present && s.SSEType.Value != "KMS":
		return invalid("SSEType %s is not supported", s.SSEType.Value)
	case s.KMSMasterKeyId.Present && !s.SSEType.Present:
		return invalid("SSEType KMS is required if KMSMasterKeyId is specified")
	}
	return nil
}

// encryption is the setting that a checked request asks for; nil is the key that
// needs no mention.
func (c *call) encryption(s *api.SSESpecification) *partition.SSE {
	if s == nil || !s.Enabled.Value && !s.SSEType.Present {
		return nil
	}
	sse := &partition.SSE{KeyARN: c.keyARN(s.KMSMasterKeyId.Or(defaultKey))}
	c.s.log.LogAttrs(c.ctx, slog.LevelWarn, "SSESpecification is only recorded: data is not encrypted with the key", slog.String("key", sse.KeyARN))
	return sse
}

// keyARN is the ARN of a KMS key given by ARN, id or alias. There is no KMS here:
// an alias always stands for the same made-up key.
func (c *call) keyARN(key string) string {
	if strings.HasPrefix(key, "arn:") {
		return key
	}
	if alias, ok := strings.CutPrefix(key, "alias/"); ok {
		key = uuid.NewSHA1(uuid.NameSpaceURL, []byte(alias)).String()
	}
	return "arn:aws:kms:" + c.arnRegion() + ":" + c.account() + ":key/" + key
}

// unsupported refuses a feature that the service has and this server has not: what
// cannot be acted on is not accepted.
func unsupported(member string) error {
	return validation("%s is not supported by this server", member)
}

// checkSupportedCreate refuses members of CreateTable that nothing here would act on.
func checkSupportedCreate(in *api.CreateTableInput) error {
	switch {
	case in.ResourcePolicy.Present:
		return unsupported("ResourcePolicy")
	case in.GlobalTableSourceArn.Present:
		return unsupported("GlobalTableSourceArn")
	case in.GlobalTableSettingsReplicationMode.Present:
		return unsupported("GlobalTableSettingsReplicationMode")
	case in.VectorIndexes != nil:
		return unsupported("VectorIndexes")
	}
	return nil
}

// checkSupportedUpdate does the same for UpdateTable.
func checkSupportedUpdate(in *api.UpdateTableInput) error {
	switch {
	case len(in.ReplicaUpdates) > 0:
		return unsupported("ReplicaUpdates")
	case in.MultiRegionConsistency.Present:
		return unsupported("MultiRegionConsistency")
	case len(in.GlobalTableWitnessUpdates) > 0:
		return unsupported("GlobalTableWitnessUpdates")
	case in.GlobalTableSettingsReplicationMode.Present:
		return unsupported("GlobalTableSettingsReplicationMode")
	case in.DisassociationProtectionEnabled.Present:
		return unsupported("DisassociationProtectionEnabled")
	case in.VectorIndexUpdates != nil:
		return unsupported("VectorIndexUpdates")
	}
	return nil
}
