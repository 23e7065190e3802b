package server

import "github.com/stator-db/stator/server/internal/api"

// serveDescribeTable serves DescribeTable.
func serveDescribeTable(c *call) error {
	var in api.DescribeTableInput
	if err := c.decode(&in); err != nil {
		return err
	}
	t, err := c.describedTable(in.TableName.Value)
	if err != nil {
		return err
	}
	return c.reply(&api.DescribeTableOutput{Table: c.describe(t)})
}
