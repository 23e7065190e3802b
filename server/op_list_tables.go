package server

import (
	"slices"

	"github.com/stator-db/stator/server/internal/api"
)

// maxTablesListed is the largest and the default page of ListTables.
const maxTablesListed = 100

// serveListTables serves ListTables: names in byte order after ExclusiveStartTableName,
// which need not exist.
func serveListTables(c *call) error {
	var in api.ListTablesInput
	if err := c.decode(&in); err != nil {
		return err
	}
	names := c.s.db.TableNames(c.ns)
	if start := in.ExclusiveStartTableName; start.Present {
		i, found := slices.BinarySearch(names, start.Value)
		if found {
			i++
		}
		names = names[i:]
	}
	out := api.ListTablesOutput{TableNames: names}
	if limit := int(in.Limit.Or(maxTablesListed)); len(names) > limit {
		out.TableNames = names[:limit]
		out.LastEvaluatedTableName = names[limit-1]
	}
	return c.reply(&out)
}
