package server

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/stator-db/stator/server/internal/api"
)

// Limits of tags (Developer Guide, "Tagging restrictions"); lengths are UTF-16
// characters.
const (
	maxTags       = 50
	maxTagKey     = 128
	maxTagValue   = 256
	maxTagSetSize = 10240 // bytes of all keys and values
)

// mergeTags checks the tags of a request and returns them added to the current
// ones, which it leaves alone. Nothing is added if one of them is bad.
func mergeTags(current map[string]string, tags []api.Tag) (map[string]string, error) {
	if len(tags) == 0 {
		return current, nil
	}
	added := make(map[string]string, len(tags))
	for _, tag := range tags {
		if err := checkTagKey(tag.Key); err != nil {
			return nil, err
		}
		if v := tag.Value; !v.Present || utf16Length(v.Value) > maxTagValue || !tagCharacters(v.Value) {
			return nil, validation("The Tag Value provided is invalid, Value: %s", v.Or("null"))
		}
		if _, twice := added[tag.Key.Value]; twice {
			return nil, validation("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", tag.Key.Value)
		}
		added[tag.Key.Value] = tag.Value.Value
	}
	merged := make(map[string]string, len(current)+len(added))
	maps.Copy(merged, current)
	maps.Copy(merged, added)
	if len(merged) > maxTags {
		return nil, tooManyTags()
	}
	size := 0
	for k, v := range merged {
		size += len(k) + len(v)
	}
	if size > maxTagSetSize {
		return nil, validation("Tag set size %d bytes is above max size limit of %d bytes", size, maxTagSetSize)
	}
	return merged, nil
}

// checkTagKey checks one key of a tag to be added or removed.
func checkTagKey(key api.Optional[string]) error {
	switch {
	case !key.Present || key.Value == "" || utf16Length(key.Value) > maxTagKey || !tagCharacters(key.Value):
		return validation("The Tag Key provided is invalid, Key: %s", key.Or("null"))
	case len(key.Value) >= 4 && strings.EqualFold(key.Value[:4], "aws:"):
		return validation("Tag Key cannot be prefixed with aws:, Key: %s", key.Value)
	}
	return nil
}

func tooManyTags() error {
	return validation("Number of Tags exceed the current limit for the provided ResourceArn")
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// tagCharacters reports whether s has only characters that tags may have: letters,
// digits and spaces of any script, and + - = . _ : / @.
func tagCharacters(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.N, unicode.Z) && !strings.ContainsRune("+-=._:/@", r) {
			return false
		}
	}
	return true
}

// taggedTable finds the table that a tag operation means. Only its ARN will do.
func (c *call) taggedTable(arn string) (name string, err error) {
	if arn == "" {
		return "", validation("Invalid TableArn")
	}
	if !strings.HasPrefix(arn, "arn:") {
		return "", invalid("ARNs must start with 'arn:': %s", arn)
	}
	a, ok := parseARN(arn)
	if !ok || a.service != "dynamodb" {
		return "", invalid("Provided Arn is not a DynamoDB resource arn: %s", arn)
	}
	name, isTable := strings.CutPrefix(a.resource, "table/")
	name, below, isBelow := strings.Cut(name, "/")
	switch {
	case !isTable || name == "" || isBelow && !strings.HasPrefix(below, "stream/"):
		return "", invalid("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s", arn)
	case a.region != c.arnRegion():
		return "", validation("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	case a.account != c.account():
		return "", c.accessDenied(arn)
	case isBelow:
		return "", unsupported("Tagging of streams")
	}
	return name, nil
}

// resourceARNNotFound is what tag operations say of a missing table.
func resourceARNNotFound(arn string) error {
	return resourceNotFoundDetail("ResourceArn: %s not found", arn)
}
