package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveDescribeTimeToLive serves DescribeTimeToLive.
func serveDescribeTimeToLive(c *call) error {
	var in api.DescribeTimeToLiveInput
	if err := c.decode(&in); err != nil {
		return err
	}
	t, err := c.describedTable(in.TableName.Value)
	if err != nil {
		return err
	}
	if t.Status == partition.TableCreating || t.Status == partition.TableDeleting {
		status := tableStatuses[t.Status]
		return validation("Cannot describe time to live while table is in %s state: Current table state is %s", status, status)
	}
	d := api.TimeToLiveDescription{TimeToLiveStatus: "DISABLED"}
	if t.TTL != nil && t.TTL.Enabled {
		d = api.TimeToLiveDescription{TimeToLiveStatus: "ENABLED", AttributeName: t.TTL.Attribute}
	}
	return c.reply(&api.DescribeTimeToLiveOutput{TimeToLiveDescription: &d})
}
