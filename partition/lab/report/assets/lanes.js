// Where things are in the timeline, from above: faults, the axis, a lane for each
// shard with its leaders, and one for each client with its operations.

/** tracks places intervals that overlap below one another. */
function tracks(intervals) {
  const ends = [];
  const placed = intervals.map((item) => {
    let track = ends.findIndex((until) => until <= item.from);
    if (track < 0) track = ends.length;
    ends[track] = item.until;
    return { item, track };
  });
  return { placed, count: ends.length };
}

/** laneOf has a client's operations in the order of time, which is that of their IDs. */
function laneOf(client) {
  const ids = Uint32Array.from(operations.filter((o) => o.client === client), (o) => o.id);
  return { client, ids, invoke: Float64Array.from(ids, (id) => operations[id].invoke), return: Float64Array.from(ids, (id) => operations[id].return) };
}

/** firstFrom is the position of the first operation of a lane that returned at or after a point in time. */
function firstFrom(lane, at) {
  let low = 0, high = lane.ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.return[middle] < at) low = middle + 1; else high = middle;
  }
  return low;
}

function layOut() {
  const faults = tracks(result.faults);
  const faultHeight = 19, axisTop = faults.count * faultHeight + (faults.count ? 4 : 0);
  let y = axisTop + 24;
  const shards = result.shards.map((shard) => {
    const leaders = tracks(result.leaders.filter((l) => l.shard === shard.id));
    const row = { shard, leaders, top: y, track: 18 };
    y += 18 * Math.max(1, leaders.count) + 4;
    return row;
  });
  y += 6;
  const clients = result.clients.length;
  const height = clients <= 30 ? 22 : clients <= 80 ? 12 : 6;
  const groups = [...Map.groupBy(result.clients.map((c, i) => ({ ...c, position: i })), (c) => c.group)];
  const lanes = [];
  for (const [, members] of groups) {
    members.forEach((client, i) => {
      // Thin lanes have room for the name of their group only.
      const text = height >= 12 ? client.name : i === 0 ? client.group : '';
      lanes.push({ ...laneOf(client.position), text, top: y, height });
      y += height;
    });
    y += 7;
  }
  return { faults, faultHeight, axisTop, shards, lanes, height: y + 16 };
}
