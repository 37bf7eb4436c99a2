"""The questionnaires that campaigns can be planned with: the organisation's own and those that come with Muster."""
