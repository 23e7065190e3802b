package item

// list reads the JSON array of an L and appends the stored form. Level is that
// of the list. Present is false for null.
func (d *decoder) list(level int) (size int, present bool, err error) {
	if present, err = d.begin(ShapeList, '[', false); !present {
		return 0, false, err
	}
	var start, count int
	d.buf, start = beginContainer(d.buf, L)
	size = containerOverhead
	for d.in.PeekKind() != ']' {
		at := len(d.buf)
		elemSize, err := d.attributeValue(level+1, true)
		if err != nil {
			return 0, true, err
		}
		if len(d.buf) == at {
			d.fault(&ValueError{Kind: NoType}) // null: a list has no absent elements
			continue
		}
		size += elementOverhead + elemSize
		count++
	}
	_, err = d.in.ReadToken()
	d.buf = endContainer(d.buf, start, count)
	return size, true, err
}

// set reads the JSON array of an SS, NS or BS and appends the stored form.
// Present is false for null.
func (d *decoder) set(t Type) (size int, present bool, fault *ValueError, err error) {
	if present, err = d.begin(ShapeList, '[', false); !present {
		return 0, false, nil, err
	}
	var start int
	d.buf, start = beginContainer(d.buf, t)
	base, body := len(d.spans), len(d.buf)
	null := false
	for d.in.PeekKind() != ']' {
		s := span{start: uint32(len(d.buf))}
		present, memberFault, err := d.scalar(t.member(), true)
		if err != nil {
			return 0, true, nil, err
		}
		if !present {
			null = true // a set has no absent members
		}
		if memberFault != nil && fault == nil {
			fault = memberFault
		}
		if !present || memberFault != nil {
			continue
		}
		s.end = uint32(len(d.buf))
		payload, _ := extent(d.buf[s.start:])
		s.value = s.start + uint32(payload)
		d.spans = append(d.spans, s)
		size += scalarSize(t.member(), d.buf[s.value:])
	}
	if _, err = d.in.ReadToken(); err != nil {
		return 0, true, nil, err
	}
	count := len(d.spans) - base
	duplicates := d.arrangeMembers(t, base, body)
	d.buf = endContainer(d.buf, start, count)
	switch {
	case fault != nil:
	case null:
		fault = &ValueError{Kind: NoType}
	case count == 0:
		fault = &ValueError{Kind: EmptySet, Type: t}
	case duplicates != nil:
		fault = &ValueError{Kind: DuplicateMembers, Type: t, Members: duplicates}
	}
	return size, true, fault, nil
}
