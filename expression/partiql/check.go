package partiql

// check finds what the grammar lets pass but the service does not have, as far
// as the text alone shows it.
func (s *statementSyntax) check() *Error {
	switch {
	case s.Select != nil:
		return s.Select.check()
	case s.Exists != nil:
		return s.Exists.Select.check()
	case s.Insert != nil:
		return s.Insert.check()
	case s.Update != nil:
		return s.Update.Table.check()
	case s.FromUpdate != nil:
		return s.FromUpdate.Table.check()
	case s.Delete != nil:
		if fault := s.Delete.Table.check(); fault != nil {
			return fault
		}
		if r := s.Delete.Returning; r != nil && (r.Scope != "ALL" || r.Image != "OLD") {
			return errorf("Invalid returning clause: RETURNING %s %s *. Only RETURNING ALL OLD * is allowed in DELETE statements.", r.Scope, r.Image)
		}
		return nil
	}
	return errorf("Unsupported operation: %s", s.Expression.operation())
}

func (s *selectSyntax) check() *Error {
	for _, i := range s.Items {
		switch {
		case i.Star && len(s.Items) > 1:
			return malformed("Other expressions may not be present in the select list when '*' is used without dot notation.")
		case i.Alias != "":
			return errAlias
		}
	}
	if fault := s.From.check(); fault != nil {
		return fault
	}
	switch {
	case len(s.More) > 0:
		return errorf("Only select from a single table or index is supported.")
	case s.Quantifier == "DISTINCT":
		return errorf("Unsupported clause: DISTINCT")
	case s.Group != nil:
		return s.Group.unsupported("GROUP BY")
	case s.Having != nil:
		return s.Having.unsupported("HAVING")
	case s.Limit != nil:
		return s.Limit.unsupported("LIMIT")
	}
	return nil
}

func (c *clauseSyntax) unsupported(name string) *Error {
	return errorf("Unsupported clause: %s%s", name, at(c.Pos, c.Terms[0].first()))
}

var errAlias = errorf("Aliasing is not supported")

func (s *sourceSyntax) check() *Error {
	if s.Alias != "" {
		return errAlias
	}
	if len(s.Path) > 2 {
		return errorf("A path may contain at most 2 components in the FROM clause")
	}
	return checkParts(s.Path)
}

func (i *insertSyntax) check() *Error {
	if len(i.Into.Path) > 1 {
		part := i.Into.Path[1]
		return errorf("FROM clause may only contain a single table name%s", at(part.Pos, part.Name))
	}
	if i.Value == nil {
		return errorf(`Unsupported operation: Inserting multiple items in a single statement is not supported, use "INSERT INTO tableName VALUE item" instead`)
	}
	return checkParts(i.Into.Path)
}

func checkParts(parts []*partSyntax) *Error {
	for _, p := range parts {
		if unquote(p.Name) == "" {
			return errEmptyComponent
		}
	}
	return nil
}

var errEmptyComponent = errorf("Path component cannot be an empty string")
