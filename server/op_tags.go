package server

import (
	"errors"
	"maps"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveTagResource serves TagResource, whose answer has no body. The order of checks of
// the three operations is the service's.
func serveTagResource(c *call) error {
	var in api.TagResourceInput
	if err := c.unmarshal(&in); err != nil {
		return err
	}
	name, err := c.taggedTable(in.ResourceArn.Value)
	if err != nil {
		return err
	}
	if err := c.constraints(&in); err != nil {
		return err
	}
	if len(in.Tags) == 0 {
		return validation("Atleast one Tag needs to be provided as Input.")
	}
	if _, err := mergeTags(nil, in.Tags); err != nil {
		return err
	}
	return c.updateTags(name, in.ResourceArn.Value, func(t *partition.Table) (err error) {
		t.Tags, err = mergeTags(t.Tags, in.Tags)
		return err
	})
}

// serveUntagResource serves UntagResource. Removing a tag that is not there is no error.
func serveUntagResource(c *call) error {
	var in api.UntagResourceInput
	if err := c.unmarshal(&in); err != nil {
		return err
	}
	name, err := c.taggedTable(in.ResourceArn.Value)
	if err != nil {
		return err
	}
	if err := c.constraints(&in); err != nil {
		return err
	}
	switch {
	case len(in.TagKeys) == 0:
		return validation("Atleast one Tag Key needs to be provided as Input.")
	case len(in.TagKeys) > maxTags:
		return tooManyTags()
	}
	for i, key := range in.TagKeys {
		if err := checkTagKey(api.Some(key)); err != nil {
			return err
		}
		if slices.Contains(in.TagKeys[:i], key) {
			return validation("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", key)
		}
	}
	return c.updateTags(name, in.ResourceArn.Value, func(t *partition.Table) error {
		for _, key := range in.TagKeys {
			delete(t.Tags, key)
		}
		return nil
	})
}

func (c *call) updateTags(name, resourceARN string, change func(t *partition.Table) error) error {
	_, err := c.s.db.UpdateTable(c.ctx, c.ns, name, change)
	if errors.Is(err, partition.ErrTableNotFound) {
		c.logMissing(name)
		return resourceARNNotFound(resourceARN)
	}
	return err
}

// serveListTagsOfResource serves ListTagsOfResource: all tags by key on one page, since a
// table has at most 50.
func serveListTagsOfResource(c *call) error {
	var in api.ListTagsOfResourceInput
	if err := c.unmarshal(&in); err != nil {
		return err
	}
	name, err := c.taggedTable(in.ResourceArn.Value)
	if err != nil {
		return err
	}
	if err := c.constraints(&in); err != nil {
		return err
	}
	if in.NextToken.Present { // no answer of this server has one
		return validation("Invalid NextToken")
	}
	t, err := c.s.db.Table(c.ns, name)
	if errors.Is(err, partition.ErrTableNotFound) {
		c.logMissing(name)
		return resourceARNNotFound(in.ResourceArn.Value)
	}
	if err != nil {
		return err
	}
	out := api.ListTagsOfResourceOutput{Tags: []api.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
		out.Tags = append(out.Tags, api.Tag{Key: api.Some(key), Value: api.Some(t.Tags[key])})
	}
	return c.reply(&out)
}
