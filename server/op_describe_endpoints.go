package server

import "github.com/stator-db/stator/server/internal/api"

// endpointCacheMinutes is how long clients may remember an endpoint.
const endpointCacheMinutes = 1440

// serveDescribeEndpoints serves DescribeEndpoints with the address the client already
// uses: an SDK with endpoint discovery goes where this answer says.
func serveDescribeEndpoints(c *call) error {
	var in api.DescribeEndpointsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	address := c.host
	if address == "" { // HTTP/1.0 without a Host header
		address = "dynamodb." + c.region + ".amazonaws.com"
	}
	return c.reply(&api.DescribeEndpointsOutput{Endpoints: []api.Endpoint{{
		Address:              address,
		CachePeriodInMinutes: api.Some[int64](endpointCacheMinutes),
	}}})
}
