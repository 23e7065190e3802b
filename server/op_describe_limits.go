package server

import "github.com/stator-db/stator/server/internal/api"

// serveDescribeLimits serves DescribeLimits.
func serveDescribeLimits(c *call) error {
	var in api.DescribeLimitsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	return c.reply(&api.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits:  api.Some[int64](accountMaxUnits),
		AccountMaxWriteCapacityUnits: api.Some[int64](accountMaxUnits),
		TableMaxReadCapacityUnits:    api.Some[int64](tableMaxUnits),
		TableMaxWriteCapacityUnits:   api.Some[int64](tableMaxUnits),
	})
}
