//! AWS's managed policies by name. A policy may be named without its path; names that are not here go on to
//! CloudFormation as they are, as on AWS.

/// The path under `policy/`, and the names there.
#[rustfmt::skip]
const POLICIES: [(&str, &str); 4] = [
    (
        "",
        "AWSAccountActivityAccess AWSAccountManagementFullAccess AWSAccountManagementReadOnlyAccess \
         AWSAccountUsageReportAccess AWSAppMeshEnvoyAccess AWSAppMeshFullAccess \
         AWSAppMeshPreviewEnvoyAccess AWSAppMeshReadOnly AWSAppRunnerFullAccess AWSAppRunnerReadOnlyAccess \
         AWSAppSyncAdministrator AWSAppSyncInvokeFullAccess AWSAppSyncSchemaAuthor \
         AWSApplicationDiscoveryAgentAccess AWSApplicationDiscoveryServiceFullAccess \
         AWSAuditManagerAdministratorAccess AWSBackupFullAccess AWSBackupOperatorAccess \
         AWSBackupServiceRolePolicyForS3Backup AWSBackupServiceRolePolicyForS3Restore AWSBatchFullAccess \
         AWSBillingConductorFullAccess AWSBillingReadOnlyAccess \
         AWSBudgetsActionsWithAWSResourceControlAccess AWSBudgetsReadOnlyAccess \
         AWSCertificateManagerFullAccess AWSCertificateManagerPrivateCAAuditor \
         AWSCertificateManagerPrivateCAFullAccess AWSCertificateManagerPrivateCAReadOnly \
         AWSCertificateManagerPrivateCAUser AWSCertificateManagerReadOnly AWSCleanRoomsFullAccess \
         AWSCloud9Administrator AWSCloud9EnvironmentMember AWSCloud9SSMInstanceProfile AWSCloud9User \
         AWSCloudFormationFullAccess AWSCloudFormationReadOnlyAccess AWSCloudHSMFullAccess \
         AWSCloudHSMReadOnlyAccess AWSCloudMapDiscoverInstanceAccess AWSCloudMapFullAccess \
         AWSCloudMapReadOnlyAccess AWSCloudMapRegisterInstanceAccess AWSCloudTrail_FullAccess \
         AWSCloudTrail_ReadOnlyAccess AWSCodeArtifactAdminAccess AWSCodeArtifactReadOnlyAccess \
         AWSCodeBuildAdminAccess AWSCodeBuildDeveloperAccess AWSCodeBuildReadOnlyAccess \
         AWSCodeCommitFullAccess AWSCodeCommitPowerUser AWSCodeCommitReadOnly AWSCodeDeployDeployerAccess \
         AWSCodeDeployFullAccess AWSCodeDeployReadOnlyAccess AWSCodeDeployRoleForECS \
         AWSCodeDeployRoleForECSLimited AWSCodePipelineApproverAccess AWSCodePipelineCustomActionAccess \
         AWSCodePipeline_FullAccess AWSCodePipeline_ReadOnlyAccess AWSCodeStarFullAccess \
         AWSConfigUserAccess AWSDataExchangeFullAccess AWSDataExchangeProviderFullAccess \
         AWSDataExchangeReadOnly AWSDataExchangeSubscriberFullAccess AWSDataPipeline_FullAccess \
         AWSDataSyncFullAccess AWSDataSyncReadOnlyAccess AWSDeepLensLambdaFunctionAccessPolicy \
         AWSDeepRacerCloudFormationAccessPolicy AWSDenyAll AWSDirectConnectFullAccess \
         AWSDirectConnectReadOnlyAccess AWSDirectoryServiceFullAccess AWSDirectoryServiceReadOnlyAccess \
         AWSDiscoveryContinuousExportFirehosePolicy AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy \
         AWSElasticBeanstalkMulticontainerDocker AWSElasticBeanstalkReadOnly AWSElasticBeanstalkWebTier \
         AWSElasticBeanstalkWorkerTier AWSElementalMediaConvertFullAccess AWSElementalMediaConvertReadOnly \
         AWSElementalMediaLiveFullAccess AWSElementalMediaPackageFullAccess \
         AWSElementalMediaPackageReadOnly AWSElementalMediaStoreFullAccess AWSElementalMediaStoreReadOnly \
         AWSFMAdminFullAccess AWSFMAdminReadOnlyAccess AWSGlueConsoleFullAccess \
         AWSGlueConsoleSageMakerNotebookFullAccess AWSGlueSchemaRegistryFullAccess \
         AWSGlueSchemaRegistryReadonlyAccess AWSGrafanaAccountAdministrator AWSGrafanaConsoleReadOnlyAccess \
         AWSGreengrassFullAccess AWSGreengrassReadOnlyAccess AWSHealthFullAccess AWSImportExportFullAccess \
         AWSImportExportReadOnlyAccess AWSIoTAnalyticsFullAccess AWSIoTAnalyticsReadOnlyAccess \
         AWSIoTConfigAccess AWSIoTConfigReadOnlyAccess AWSIoTDataAccess AWSIoTEventsFullAccess \
         AWSIoTEventsReadOnlyAccess AWSIoTFullAccess AWSIoTSiteWiseFullAccess AWSIoTSiteWiseReadOnlyAccess \
         AWSIoTWirelessFullAccess AWSKeyManagementServicePowerUser AWSLakeFormationCrossAccountManager \
         AWSLakeFormationDataAdmin AWSLambdaExecute AWSLambdaInvocation-DynamoDB AWSLambda_FullAccess \
         AWSLambda_ReadOnlyAccess AWSMarketplaceFullAccess AWSMarketplaceManageSubscriptions \
         AWSMarketplaceRead-only AWSMarketplaceSellerFullAccess AWSMigrationHubFullAccess \
         AWSNetworkManagerFullAccess AWSNetworkManagerReadOnlyAccess AWSOpsWorks_FullAccess \
         AWSOrganizationsFullAccess AWSOrganizationsReadOnlyAccess AWSPriceListServiceFullAccess \
         AWSProtonDeveloperAccess AWSProtonFullAccess AWSProtonReadOnlyAccess \
         AWSPurchaseOrdersServiceRolePolicy AWSResourceAccessManagerFullAccess \
         AWSResourceAccessManagerReadOnlyAccess AWSResourceGroupsReadOnlyAccess \
         AWSSSODirectoryAdministrator AWSSSODirectoryReadOnly AWSSSOMasterAccountAdministrator \
         AWSSSOMemberAccountAdministrator AWSSSOReadOnly AWSSecurityHubFullAccess \
         AWSSecurityHubOrganizationsAccess AWSSecurityHubReadOnlyAccess AWSServiceCatalogAdminFullAccess \
         AWSServiceCatalogAdminReadOnlyAccess AWSServiceCatalogAppRegistryFullAccess \
         AWSServiceCatalogAppRegistryReadOnlyAccess AWSServiceCatalogEndUserFullAccess \
         AWSServiceCatalogEndUserReadOnlyAccess AWSStepFunctionsConsoleFullAccess \
         AWSStepFunctionsFullAccess AWSStepFunctionsReadOnlyAccess AWSStorageGatewayFullAccess \
         AWSStorageGatewayReadOnlyAccess AWSSupportAccess AWSTransferConsoleFullAccess \
         AWSTransferFullAccess AWSTransferReadOnlyAccess AWSWAFConsoleFullAccess \
         AWSWAFConsoleReadOnlyAccess AWSWAFFullAccess AWSWAFReadOnlyAccess AWSXRayDaemonWriteAccess \
         AWSXrayCrossAccountSharingConfiguration AWSXrayFullAccess AWSXrayReadOnlyAccess \
         AWSXrayWriteOnlyAccess AdministratorAccess AdministratorAccess-AWSElasticBeanstalk \
         AdministratorAccess-Amplify AlexaForBusinessDeviceSetup AlexaForBusinessFullAccess \
         AlexaForBusinessReadOnlyAccess AmazonAPIGatewayAdministrator AmazonAPIGatewayInvokeFullAccess \
         AmazonAppStreamFullAccess AmazonAppStreamReadOnlyAccess AmazonAthenaFullAccess \
         AmazonAugmentedAIFullAccess AmazonAugmentedAIHumanLoopFullAccess AmazonBedrockFullAccess \
         AmazonBedrockReadOnly AmazonChimeFullAccess AmazonChimeReadOnly AmazonChimeSDK \
         AmazonChimeUserManagement AmazonCloudDirectoryFullAccess AmazonCloudDirectoryReadOnlyAccess \
         AmazonCodeGuruProfilerAgentAccess AmazonCodeGuruProfilerFullAccess \
         AmazonCodeGuruProfilerReadOnlyAccess AmazonCodeGuruReviewerFullAccess \
         AmazonCodeGuruReviewerReadOnlyAccess AmazonCognitoDeveloperAuthenticatedIdentities \
         AmazonCognitoPowerUser AmazonCognitoReadOnly AmazonCognitoUnAuthedIdentitiesSessionPolicy \
         AmazonConnectReadOnlyAccess AmazonConnect_FullAccess AmazonDRSVPCManagement \
         AmazonDetectiveFullAccess AmazonDevOpsGuruFullAccess AmazonDevOpsGuruReadOnlyAccess \
         AmazonDocDBConsoleFullAccess AmazonDocDBFullAccess AmazonDocDBReadOnlyAccess \
         AmazonDynamoDBFullAccess AmazonDynamoDBFullAccesswithDataPipeline AmazonDynamoDBReadOnlyAccess \
         AmazonEC2ContainerRegistryFullAccess AmazonEC2ContainerRegistryPowerUser \
         AmazonEC2ContainerRegistryReadOnly AmazonEC2FullAccess AmazonEC2ReadOnlyAccess \
         AmazonEC2RolePolicyForLaunchWizard AmazonECS_FullAccess AmazonEKSClusterPolicy \
         AmazonEKSFargatePodExecutionRolePolicy AmazonEKSLocalOutpostClusterPolicy AmazonEKSServicePolicy \
         AmazonEKSVPCResourceController AmazonEKSWorkerNodePolicy AmazonEKS_CNI_Policy \
         AmazonEMRFullAccessPolicy_v2 AmazonEMRReadOnlyAccessPolicy_v2 AmazonESCognitoAccess \
         AmazonESFullAccess AmazonESReadOnlyAccess AmazonElastiCacheFullAccess \
         AmazonElastiCacheReadOnlyAccess AmazonElasticFileSystemClientFullAccess \
         AmazonElasticFileSystemClientReadOnlyAccess AmazonElasticFileSystemClientReadWriteAccess \
         AmazonElasticFileSystemFullAccess AmazonElasticFileSystemReadOnlyAccess \
         AmazonElasticMapReduceFullAccess AmazonElasticMapReduceReadOnlyAccess \
         AmazonElasticTranscoder_FullAccess AmazonElasticTranscoder_JobsSubmitter \
         AmazonElasticTranscoder_ReadOnlyAccess AmazonEventBridgeFullAccess \
         AmazonEventBridgePipesFullAccess AmazonEventBridgePipesOperatorAccess \
         AmazonEventBridgePipesReadOnlyAccess AmazonEventBridgeReadOnlyAccess \
         AmazonEventBridgeSchedulerFullAccess AmazonEventBridgeSchedulerReadOnlyAccess \
         AmazonEventBridgeSchemasFullAccess AmazonEventBridgeSchemasReadOnlyAccess \
         AmazonFSxConsoleFullAccess AmazonFSxFullAccess AmazonFSxReadOnlyAccess AmazonForecastFullAccess \
         AmazonFraudDetectorFullAccessPolicy AmazonFreeRTOSFullAccess AmazonGlacierFullAccess \
         AmazonGlacierReadOnlyAccess AmazonGuardDutyReadOnlyAccess AmazonHealthLakeFullAccess \
         AmazonHealthLakeReadOnlyAccess AmazonHoneycodeFullAccess AmazonHoneycodeReadOnlyAccess \
         AmazonInspector2FullAccess AmazonInspector2ReadOnlyAccess AmazonInspectorFullAccess \
         AmazonInspectorReadOnlyAccess AmazonKendraFullAccess AmazonKendraReadOnlyAccess \
         AmazonKeyspacesFullAccess AmazonKeyspacesReadOnlyAccess AmazonKinesisAnalyticsFullAccess \
         AmazonKinesisAnalyticsReadOnly AmazonKinesisFirehoseFullAccess AmazonKinesisFirehoseReadOnlyAccess \
         AmazonKinesisFullAccess AmazonKinesisReadOnlyAccess AmazonKinesisVideoStreamsFullAccess \
         AmazonKinesisVideoStreamsReadOnlyAccess AmazonLexFullAccess AmazonLexReadOnly AmazonLexRunBotsOnly \
         AmazonLookoutEquipmentFullAccess AmazonLookoutMetricsFullAccess AmazonLookoutVisionFullAccess \
         AmazonMQApiFullAccess AmazonMQApiReadOnlyAccess AmazonMQFullAccess AmazonMQReadOnlyAccess \
         AmazonMSKFullAccess AmazonMSKReadOnlyAccess AmazonMachineLearningFullAccess \
         AmazonMachineLearningReadOnlyAccess AmazonMacieFullAccess AmazonManagedBlockchainFullAccess \
         AmazonManagedBlockchainReadOnlyAccess AmazonMechanicalTurkFullAccess AmazonMechanicalTurkReadOnly \
         AmazonMemoryDBFullAccess AmazonMemoryDBReadOnlyAccess AmazonMobileAnalyticsFinancialReportAccess \
         AmazonMobileAnalyticsFullAccess AmazonMobileAnalyticsNon-financialReportAccess \
         AmazonMobileAnalyticsWriteOnlyAccess AmazonNimbleStudio-StudioAdmin \
         AmazonOpenSearchServiceCognitoAccess AmazonOpenSearchServiceFullAccess \
         AmazonOpenSearchServiceReadOnlyAccess AmazonPollyFullAccess AmazonPollyReadOnlyAccess \
         AmazonPrometheusConsoleFullAccess AmazonPrometheusFullAccess AmazonPrometheusQueryAccess \
         AmazonPrometheusRemoteWriteAccess AmazonQLDBConsoleFullAccess AmazonQLDBFullAccess \
         AmazonQLDBReadOnly AmazonRDSDataFullAccess AmazonRDSFullAccess AmazonRDSReadOnlyAccess \
         AmazonRedshiftAllCommandsFullAccess AmazonRedshiftDataFullAccess AmazonRedshiftFullAccess \
         AmazonRedshiftQueryEditor AmazonRedshiftReadOnlyAccess AmazonRekognitionCustomLabelsFullAccess \
         AmazonRekognitionFullAccess AmazonRekognitionReadOnlyAccess AmazonRoute53AutoNamingFullAccess \
         AmazonRoute53AutoNamingReadOnlyAccess AmazonRoute53DomainsFullAccess \
         AmazonRoute53DomainsReadOnlyAccess AmazonRoute53FullAccess AmazonRoute53ReadOnlyAccess \
         AmazonRoute53ResolverFullAccess AmazonRoute53ResolverReadOnlyAccess AmazonS3FullAccess \
         AmazonS3OutpostsFullAccess AmazonS3OutpostsReadOnlyAccess AmazonS3ReadOnlyAccess \
         AmazonSESFullAccess AmazonSESReadOnlyAccess AmazonSNSFullAccess AmazonSNSReadOnlyAccess \
         AmazonSQSFullAccess AmazonSQSReadOnlyAccess AmazonSSMAutomationApproverAccess \
         AmazonSSMDirectoryServiceAccess AmazonSSMFullAccess AmazonSSMManagedInstanceCore \
         AmazonSSMPatchAssociation AmazonSSMReadOnlyAccess \
         AmazonSageMakerAdmin-ServiceCatalogProductsServiceRolePolicy AmazonSageMakerCanvasAIServicesAccess \
         AmazonSageMakerCanvasFullAccess AmazonSageMakerClusterInstanceRolePolicy \
         AmazonSageMakerFeatureStoreAccess AmazonSageMakerFullAccess AmazonSageMakerGroundTruthExecution \
         AmazonSageMakerMechanicalTurkAccess AmazonSageMakerModelGovernanceUseAccess \
         AmazonSageMakerModelRegistryFullAccess AmazonSageMakerPipelinesIntegrations \
         AmazonSageMakerReadOnly AmazonSumerianFullAccess AmazonTextractFullAccess \
         AmazonTimestreamConsoleFullAccess AmazonTimestreamFullAccess AmazonTimestreamReadOnlyAccess \
         AmazonTranscribeFullAccess AmazonTranscribeReadOnlyAccess \
         AmazonVPCCrossAccountNetworkInterfaceOperations AmazonVPCFullAccess \
         AmazonVPCNetworkAccessAnalyzerFullAccessPolicy AmazonVPCReachabilityAnalyzerFullAccessPolicy \
         AmazonVPCReadOnlyAccess AmazonWorkMailFullAccess AmazonWorkMailReadOnlyAccess \
         AmazonWorkSpacesAdmin AmazonWorkSpacesSelfServiceAccess AmazonWorkSpacesServiceAccess \
         AmazonZocaloFullAccess AmazonZocaloReadOnlyAccess AutoScalingConsoleFullAccess \
         AutoScalingConsoleReadOnlyAccess AutoScalingFullAccess AutoScalingReadOnlyAccess \
         CloudFrontFullAccess CloudFrontReadOnlyAccess CloudWatchActionsEC2Access \
         CloudWatchAgentAdminPolicy CloudWatchAgentServerPolicy CloudWatchApplicationInsightsFullAccess \
         CloudWatchApplicationInsightsReadOnlyAccess CloudWatchAutomaticDashboardsAccess \
         CloudWatchEventsFullAccess CloudWatchEventsReadOnlyAccess CloudWatchFullAccess \
         CloudWatchFullAccessV2 CloudWatchLambdaInsightsExecutionRolePolicy CloudWatchLogsFullAccess \
         CloudWatchLogsReadOnlyAccess CloudWatchReadOnlyAccess CloudWatchSyntheticsFullAccess \
         CloudWatchSyntheticsReadOnlyAccess ComprehendFullAccess ComprehendMedicalFullAccess \
         ComprehendReadOnly EC2InstanceConnect EC2InstanceProfileForImageBuilder \
         ElasticLoadBalancingFullAccess ElasticLoadBalancingReadOnly GlobalAcceleratorFullAccess \
         GlobalAcceleratorReadOnlyAccess IAMAccessAdvisorReadOnly IAMAccessAnalyzerFullAccess \
         IAMAccessAnalyzerReadOnlyAccess IAMFullAccess IAMReadOnlyAccess \
         IAMSelfManageServiceSpecificCredentials IAMUserChangePassword IAMUserSSHKeys \
         NeptuneConsoleFullAccess NeptuneFullAccess NeptuneReadOnlyAccess PowerUserAccess ReadOnlyAccess \
         ResourceGroupsandTagEditorFullAccess ResourceGroupsandTagEditorReadOnlyAccess \
         SecretsManagerReadWrite SecurityAudit ServerMigrationConnector ServiceQuotasFullAccess \
         ServiceQuotasReadOnlyAccess SimpleWorkflowFullAccess TranslateFullAccess TranslateReadOnly",
    ),
    (
        "aws-service-role",
        "APIGatewayServiceRolePolicy AWSApplicationAutoscalingDynamoDBTablePolicy \
         AWSApplicationAutoscalingECSServicePolicy AWSApplicationAutoscalingLambdaConcurrencyPolicy \
         AWSCloud9ServiceRolePolicy AWSConfigServiceRolePolicy AWSHealth_EventProcessorServiceRolePolicy \
         AWSLambdaReplicator AWSSupportServiceRolePolicy AWSTrustedAdvisorServiceRolePolicy \
         AccessAnalyzerServiceRolePolicy AmazonECSServiceRolePolicy AmazonEKSConnectorServiceRolePolicy \
         AmazonEKSServiceRolePolicy AmazonEventBridgeApiDestinationsServiceRolePolicy \
         AmazonRDSServiceRolePolicy AmazonSSMServiceRolePolicy AmazonSageMakerNotebooksServiceRolePolicy \
         AutoScalingServiceRolePolicy CloudWatch-CrossAccountAccess \
         CloudwatchApplicationInsightsServiceLinkedRolePolicy LakeFormationDataAccessServiceRolePolicy \
         WAFRegionalLoggingServiceRolePolicy",
    ),
    (
        "job-function",
        "Billing DataScientist DatabaseAdministrator NetworkAdministrator SupportUser SystemAdministrator \
         ViewOnlyAccess",
    ),
    (
        "service-role",
        "AWSAppRunnerServicePolicyForECRAccess AWSAppSyncPushToCloudWatchLogs \
         AWSBackupServiceRolePolicyForBackup AWSBackupServiceRolePolicyForRestores \
         AWSBatchServiceEventTargetRole AWSBatchServiceRole AWSCloudHSMRole AWSCodeDeployRole \
         AWSCodeDeployRoleForCloudFormation AWSCodeDeployRoleForLambda AWSCodeDeployRoleForLambdaLimited \
         AWSCodeStarServiceRole AWSConfigRulesExecutionRole AWSControlTowerServiceRolePolicy \
         AWSDeepLensServiceRolePolicy AWSDeepRacerServiceRolePolicy AWSElasticBeanstalkEnhancedHealth \
         AWSElasticBeanstalkService AWSFaultInjectionSimulatorEC2Access AWSFaultInjectionSimulatorECSAccess \
         AWSGlueDataBrewServiceRole AWSGlueServiceNotebookRole AWSGlueServiceRole \
         AWSGreengrassResourceAccessRolePolicy AWSIoTLogging AWSIoTOTAUpdate AWSIoTRuleActions \
         AWSIoTThingsRegistration AWSLambdaBasicExecutionRole AWSLambdaDynamoDBExecutionRole \
         AWSLambdaENIManagementAccess AWSLambdaKinesisExecutionRole AWSLambdaMSKExecutionRole AWSLambdaRole \
         AWSLambdaSQSQueueExecutionRole AWSLambdaVPCAccessExecutionRole AWSMigrationHubDMSAccess \
         AWSMigrationHubSMSAccess AWSQuickSightDescribeRDS AWSQuickSightDescribeRedshift \
         AWSQuickSightListIAM AWSQuicksightAthenaAccess AWSShieldDRTAccessPolicy AWSTransferLoggingAccess \
         AWS_ConfigRole AmazonAPIGatewayPushToCloudWatchLogs AmazonAppStreamServiceAccess \
         AmazonDMSCloudWatchLogsRole AmazonDMSRedshiftS3Role AmazonDMSVPCManagementRole \
         AmazonEBSCSIDriverPolicy AmazonEC2ContainerServiceAutoscaleRole \
         AmazonEC2ContainerServiceEventsRole AmazonEC2ContainerServiceRole \
         AmazonEC2ContainerServiceforEC2Role AmazonEC2RoleforAWSCodeDeploy AmazonEC2RoleforDataPipelineRole \
         AmazonEC2RoleforSSM AmazonEC2SpotFleetAutoscaleRole AmazonEC2SpotFleetTaggingRole \
         AmazonECSInfrastructureRolePolicyForVolumes AmazonECSTaskExecutionRolePolicy \
         AmazonEFSCSIDriverPolicy AmazonEMRServicePolicy_v2 AmazonElasticMapReduceRole \
         AmazonElasticMapReduceforAutoScalingRole AmazonElasticMapReduceforEC2Role \
         AmazonElasticTranscoderRole AmazonFreeRTOSOTAUpdate AmazonGrafanaAthenaAccess \
         AmazonGrafanaCloudWatchAccess AmazonPersonalizeFullAccess AmazonRDSDirectoryServiceAccess \
         AmazonRDSEnhancedMonitoringRole AmazonRekognitionServiceRole \
         AmazonS3ObjectLambdaExecutionRolePolicy AmazonSNSRole AmazonSSMAutomationRole \
         AmazonSSMMaintenanceWindowRole AmazonSageMakerEdgeDeviceFleetPolicy \
         AmazonSageMakerGeospatialFullAccess AmazonTextractServiceRole \
         ApplicationAutoScalingForAmazonAppStreamAccess AutoScalingNotificationAccessRole \
         CloudWatchEventsBuiltInTargetExecutionAccess CloudWatchEventsInvocationAccess \
         ComprehendDataAccessRolePolicy RDSCloudHsmAuthorizationRole ServerMigrationServiceLaunchRole \
         VMImportExportRoleForAWSConnector",
    ),
];

/// The ARN of the managed policy of this name, if it is a known one.
pub(crate) fn find(partition: &str, name: &str) -> Option<String> {
    let (path, _) = POLICIES.iter().find(|(_, names)| names.split(' ').any(|known| known == name))?;
    let slash = if path.is_empty() { "" } else { "/" };
    Some(arn(partition, &format!("{path}{slash}{name}")))
}

/// The ARN of AWS's policy at a path.
pub(crate) fn arn(partition: &str, path: &str) -> String {
    format!("arn:{partition}:iam::aws:policy/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_arns() {
        for (name, expected) in [
            ("AmazonS3ReadOnlyAccess", Some("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")),
            ("AWSLambdaRole", Some("arn:aws:iam::aws:policy/service-role/AWSLambdaRole")),
            ("Billing", Some("arn:aws:iam::aws:policy/job-function/Billing")),
            ("NoSuchPolicy", None),
        ] {
            assert_eq!(find("aws", name).as_deref(), expected);
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<&str> = POLICIES.iter().flat_map(|(_, names)| names.split(' ')).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
