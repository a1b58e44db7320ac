//! Parameters by path, level by level and page by page.

use super::*;

#[tokio::test]
async fn paths_are_walked_level_by_level_and_page_by_page() {
    let world = World::new();
    for name in ["a", "/b", "/p/1", "/p/2", "/p/2/x", "/p/2/y/z", "/p/3", "/pp/1", "/q/deep/er"] {
        put(&world, name, name).await;
    }
    for n in 0..60 {
        put(&world, &format!("/many/{n:02}/leaf"), "v").await;
        put(&world, &format!("/many/x{n:02}"), "v").await;
    }
    let names = async |path: &str, recursive: bool, limit: usize| {
        let (mut seen, mut token) = (Vec::new(), Value::Null);
        loop {
            let mut input = json!({"Path": path, "Recursive": recursive, "MaxResults": limit});
            if !token.is_null() {
                input["NextToken"] = token;
            }
            let page = call(&world, "GetParametersByPath", input).await.unwrap();
            let parameters = page["Parameters"].as_array().unwrap();
            assert!(parameters.len() <= limit);
            seen.extend(parameters.iter().map(|p| p["Name"].as_str().unwrap().to_owned()));
            token = page["NextToken"].clone();
            if token.is_null() {
                return seen;
            }
        }
    };
    for limit in [1, 2, 10] {
        assert_eq!(names("/", false, limit).await, ["/b", "a"]);
        assert_eq!(names("/p", false, limit).await, ["/p/1", "/p/2", "/p/3"]);
        assert_eq!(names("/p/", true, limit).await, ["/p/1", "/p/2", "/p/2/x", "/p/2/y/z", "/p/3"]);
        assert_eq!(names("/p/2", false, limit).await, ["/p/2/x"]);
        assert!(names("/nothing", true, limit).await.is_empty());
    }
    let expected: Vec<String> = (0..60).map(|n| format!("/many/x{n:02}")).collect();
    assert_eq!(names("/many", false, 10).await, expected);
    assert_eq!(names("/", true, 10).await.len(), 9 + 120);

    let described = async |filters: Value| {
        let input = json!({"ParameterFilters": filters, "MaxResults": 50});
        let page = call(&world, "DescribeParameters", input).await?;
        let all: Vec<String> = page["Parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["Name"].as_str().unwrap().to_owned())
            .collect();
        Ok::<_, String>(all)
    };
    call(
        &world,
        "AddTagsToResource",
        json!({"ResourceType": "Parameter", "ResourceId": "/p/3", "Tags": [{"Key": "team", "Value": "ml"}]}),
    )
    .await
    .unwrap();
    for (filters, expected) in [
        (json!([{"Key": "Name", "Values": ["a", "/b", "none"]}]), vec!["/b", "a"]),
        (
            json!([{"Key": "Name", "Option": "BeginsWith", "Values": ["/p/"]}]),
            vec!["/p/1", "/p/2", "/p/2/x", "/p/2/y/z", "/p/3"],
        ),
        (json!([{"Key": "Name", "Option": "Contains", "Values": ["deep"]}]), vec!["/q/deep/er"]),
        (json!([{"Key": "Path", "Values": ["/p"]}]), vec!["/p/1", "/p/2", "/p/3"]),
        (
            json!([{"Key": "Path", "Option": "Recursive", "Values": ["/p/2", "/q"]}]),
            vec!["/p/2/x", "/p/2/y/z", "/q/deep/er"],
        ),
        (json!([{"Key": "tag:team", "Values": ["ml"]}]), vec!["/p/3"]),
        (json!([{"Key": "tag:team"}]), vec!["/p/3"]),
        (json!([{"Key": "Type", "Values": ["StringList"]}]), vec![]),
        (
            json!([{"Key": "Path", "Values": ["/p"]}, {"Key": "Tier", "Values": ["Standard"]}, {"Key": "Name", "Option": "Contains", "Values": ["1"]}]),
            vec!["/p/1"],
        ),
    ] {
        assert_eq!(described(filters.clone()).await.unwrap(), expected, "{filters}");
    }
    for (filters, error) in [
        (
            json!([{"Key": "Label", "Values": ["x"]}]),
            "InvalidFilterKey The following filter key is not valid: Label. Valid filter keys include: [Path, Name, Type, KeyId, Tier].",
        ),
        (
            json!([{"Key": "Type", "Option": "Contains", "Values": ["x"]}]),
            "InvalidFilterOption The following filter option is not valid: Contains. Valid options include: [BeginsWith, Equals].",
        ),
        (
            json!([{"Key": "Type", "Values": ["x"]}]),
            "InvalidFilterValue The following filter value is not valid: x. Valid values include: [String, StringList, SecureString].",
        ),
        (
            json!([{"Key": "Name"}]),
            "InvalidFilterValue The following filter values are missing : null for filter key Name.",
        ),
        (
            json!([{"Key": "Path", "Values": ["p"]}]),
            "ValidationException The parameter doesn't meet the parameter name requirements.",
        ),
        (
            json!([{"Key": "Path", "Values": ["/aws"]}]),
            "ValidationException Filters for common parameters can't be prefixed",
        ),
    ] {
        let got = described(filters.clone()).await.unwrap_err();
        assert!(got.starts_with(&format!("400 {error}")), "{filters}: {got}");
    }
    let bad = json!({"Path": "/p", "ParameterFilters": [{"Key": "Name", "Values": ["x"]}]});
    let error = call(&world, "GetParametersByPath", bad).await.unwrap_err();
    assert_eq!(
        error,
        "400 InvalidFilterKey The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId]."
    );
    let error =
        call(&world, "GetParametersByPath", json!({"Path": "/p", "NextToken": "%"})).await.unwrap_err();
    assert_eq!(error, "400 InvalidNextToken The specified token isn't valid.");
}
