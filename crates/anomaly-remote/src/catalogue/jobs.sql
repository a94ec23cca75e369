SELECT Jobs.JobId, Jobs.Name, Jobs.Type, Jobs.Level, Client.Name AS Client, Jobs.JobStatus,
       Jobs.SchedTime, Jobs.StartTime, Jobs.EndTime, Jobs.RealEndTime, Jobs.JobTDate,
       Jobs.JobFiles, Jobs.JobBytes, Jobs.ReadBytes, Jobs.JobErrors
FROM (
    SELECT JobId, Name, Type, Level, ClientId, JobStatus, SchedTime, StartTime, EndTime,
           RealEndTime, JobTDate, JobFiles, JobBytes, ReadBytes, JobErrors
    FROM Job
    UNION ALL
    SELECT JobId, Name, Type, Level, ClientId, JobStatus, SchedTime, StartTime, EndTime,
           RealEndTime, JobTDate, JobFiles, JobBytes, ReadBytes, JobErrors
    FROM JobHisto
    WHERE NOT EXISTS (SELECT 1 FROM Job WHERE Job.JobId = JobHisto.JobId)
) AS Jobs
LEFT JOIN Client ON Client.ClientId = Jobs.ClientId
