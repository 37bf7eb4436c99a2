"""Forms that somebody wrote for ODK, Kobo or SurveyCTO as a workbook (XLSForm), made questionnaires of ours."""
